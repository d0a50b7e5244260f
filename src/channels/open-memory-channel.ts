import { requireCount } from "../sync/require-count.js";
import { MemoryChannel } from "./memory-channel.js";
import { MemoryReceiveChannel } from "./memory-receive-channel.js";
import { MemorySendChannel } from "./memory-send-channel.js";

/** The two ends of a channel: as a tuple, and by name. */
export type MemoryChannelEnds<T> = readonly [send: MemorySendChannel<T>, receive: MemoryReceiveChannel<T>] & {
  readonly send: MemorySendChannel<T>;
  readonly receive: MemoryReceiveChannel<T>;
};

/**
 * Opens a channel from tasks to tasks: a queue with two ends, each of which can be cloned and closed.
 *
 * `capacity` is how many items may be on their way: 0 means that each `send` waits until its item has been received; with `Infinity` no `send` ever
 * waits, so nothing slows a producer down that is faster than its consumer.
 *
 * A task that owns an end closes it, best with `using`: the end of the last sender is the end of the stream, the end of the last receiver stops the senders.
 *
 * Source: trio.open_memory_channel.
 *
 * @throws RangeError, TypeError if `capacity` is no whole number, not negative, or `Infinity`
 * @example
 * const [send, receive] = openMemoryChannel<string>(16);
 * nursery.startSoon(async () => {
 *   using jobs = send;
 *   for (const url of urls) await jobs.send(url);
 * });
 * for await (const url of receive) await fetchPage(url);
 */
export function openMemoryChannel<T>(capacity = 0): MemoryChannelEnds<T> {
  const channel = new MemoryChannel<T>(requireCount(capacity, "the capacity of a channel", true));
  const send = new MemorySendChannel<T>(channel);
  const receive = new MemoryReceiveChannel(channel);
  return Object.assign([send, receive] as const, { send, receive });
}
