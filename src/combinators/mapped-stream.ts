import type { Item } from "../channels/next-item.js";
import { type Home, type Making, Produced } from "../channels/produced.js";
import { signalScope } from "../kernel/foreign-signal.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { StreamMapping, type StreamPlan } from "./stream-mapping.js";

/**
 * What `mapStream` returns: results, as they are asked for.
 *
 * Iterate over it, or have several tasks `receive` from it; a result goes to one of them. It is closed by leaving the loop, whichever way, by `close()`,
 * by `await using`, and at the latest when the scope in which it was made is left. Then what works on the items is cancelled, and its end awaited.
 */
export class MappedStream<out R> extends Produced<R> {
  /** @internal */
  readonly _receivers: WaitQueue<Item<R>> = new WaitQueue("receive", this);
  readonly #plan: StreamPlan<R>;
  #letBegin: () => void = () => {};
  #mapping: StreamMapping<R> | undefined = undefined;

  /** @internal */
  constructor(plan: StreamPlan<R>, home: Home) {
    super("mapStream", home);
    this.#plan = plan;
    // The lanes begin in the async context in which the stream is made, not in that of whoever asks first.
    const begun = new Promise<void>((resolve) => {
      this.#letBegin = resolve;
    });
    void begun.then(() => this.#mapping?.beginLanes());
  }

  /** @internal */
  _begin(): Making {
    const { owner, signal } = this._home;
    const mapping = new StreamMapping<R>(this.#plan, {
      onResult: () => this.#handOut(),
      onEnd: () => this._ended(mapping),
    });
    this.#mapping = mapping;
    mapping.open(signal === undefined ? owner : signalScope(signal, owner));
    this.#letBegin();
    return mapping;
  }

  /** @internal */
  get _hasItem(): boolean {
    return this.#mapping !== undefined && this.#plan.outbox.isReady;
  }

  /** @internal */
  _takeItem(): R {
    return (this.#mapping as StreamMapping<R>).take();
  }

  /** To those who wait for results. */
  #handOut(): void {
    for (let receiver = this._receivers.first; receiver !== undefined && this._hasItem; receiver = this._receivers.first)
      receiver.wake({ done: false, value: this._takeItem() });
  }
}
