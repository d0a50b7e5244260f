import { RingBuffer } from "../channels/ring-buffer.js";
import { describe } from "../kernel/describe.js";
import { UsageError } from "../kernel/errors.js";
import { requireCount } from "../sync/require-count.js";
import { OverflowError } from "./overflow-error.js";

/** What becomes of an event for which there is no room: everything fails, the oldest one makes room for it, or it is dropped itself. */
export type OnOverflow = "fail" | "dropOldest" | "dropNewest";

/** Events that nobody has taken yet. */
export class EventBuffer<E> {
  readonly #capacity: number;
  readonly #onOverflow: OnOverflow;
  readonly #items = new RingBuffer<E>();
  dropped = 0;

  constructor(capacity: number, onOverflow: OnOverflow, caller: string) {
    this.#capacity = requireCount(capacity, `\`capacity\` of ${caller}`);
    if (capacity === 0) throw new RangeError(`\`capacity\` of ${caller} is at least 1, because a source of events does not wait`);
    if (onOverflow !== "fail" && onOverflow !== "dropOldest" && onOverflow !== "dropNewest") {
      throw new UsageError(`\`onOverflow\` of ${caller} is "fail", "dropOldest" or "dropNewest", not ${describe(onOverflow)}`);
    }
    this.#onOverflow = onOverflow;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Returns what went wrong, if it is a failure that there is no room. */
  push(event: E): OverflowError | undefined {
    if (this.size >= this.#capacity) {
      if (this.#onOverflow === "fail") {
        return new OverflowError(
          `there were ${this.#capacity} events that nobody had taken when the next one came. ` +
            'Take them faster, give fromEvents() more `capacity`, or say which may be lost: { onOverflow: "dropOldest" }',
        );
      }
      this.dropped++;
      if (this.#onOverflow === "dropNewest") return undefined;
      this.shift();
    }
    this.#items.push(event);
    return undefined;
  }

  /** The oldest one. There is one. */
  shift(): E {
    return this.#items.shift();
  }

  clear(): void {
    this.#items.clear();
  }
}
