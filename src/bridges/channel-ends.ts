import { describe } from "../kernel/describe.js";
import { type Selectable, selectable } from "../kernel/selectable.js";
import type { Cancellable } from "../kernel/types.js";

/** What a stream can take items from: the receive end of a memory channel, or a `StreamReceiveChannel`. */
export interface ReceiveEnd<out T> extends Selectable<T> {
  receive(scope?: Cancellable): Promise<T>;
  close(): void;
}

/** What a stream can put items into: the send end of a memory channel. */
export interface SendEnd<in T> {
  send(value: T, scope?: Cancellable): Promise<void>;
  close(): void;
}

export function requireReceiveEnd(end: ReceiveEnd<unknown>, caller: string): void {
  const { receive, close } = Object(end) as Partial<ReceiveEnd<unknown>>;
  if (typeof receive === "function" && typeof close === "function" && selectable in end) return;
  throw new TypeError(`${caller} takes the receive end of a channel, not ${describe(end)}`);
}

export function requireSendEnd(end: SendEnd<never>, caller: string): void {
  const { send, close } = Object(end) as Partial<SendEnd<never>>;
  if (typeof send === "function" && typeof close === "function") return;
  throw new TypeError(`${caller} takes the send end of a channel, not ${describe(end)}`);
}
