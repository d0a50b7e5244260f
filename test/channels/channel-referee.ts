import type { MemoryChannelStatistics } from "../../src/index.js";

/** What becomes of an operation: a result, the name of an error, or the cancellation of its scope. */
export type Outcome =
  | { readonly key: string; readonly value: unknown }
  | { readonly error: "EndOfChannel" | "BrokenResourceError" | "ClosedResourceError" | "TaskCancelledError" }
  | "WouldBlock"
  | "cancelled";

/** One of the things that an operation might do. */
export type Choice =
  | { readonly key: string; readonly of: "send"; readonly channel: ModelChannel; readonly handle: number; readonly value: number }
  | { readonly key: string; readonly of: "receive"; readonly channel: ModelChannel; readonly handle: number; readonly orEnd: boolean }
  | { readonly key: string; readonly of: "happening"; readonly what: Happening }
  | { readonly key: string; readonly of: "timeout"; readonly ms: number };

/** An operation is a choice of one or more things: a `send` is a `select` with one case. */
export class Operation {
  readonly choices: readonly Choice[];
  /** Decided once. */
  outcome: Outcome | undefined = undefined;
  /** What happens when it is cancelled. */
  readonly onCancelled: () => void;
  /** When each of its timeouts is over, once it waits. */
  ends: readonly { readonly key: string; readonly at: number }[] = [];

  constructor(choices: readonly Choice[], onCancelled: () => void = () => {}) {
    this.choices = choices;
    this.onCancelled = onCancelled;
  }
}

type SendChoice = Extract<Choice, { readonly of: "send" }>;
type ReceiveChoice = Extract<Choice, { readonly of: "receive" }>;

/** Who waits for one thing. */
interface Place<C> {
  readonly operation: Operation;
  readonly choice: C;
}

/** What happens once: an event is set, a task ends. */
export class Happening {
  outcome: { readonly value: unknown } | { readonly error: "TaskCancelledError" } | undefined = undefined;
  line: Operation[] = [];
}

/** A channel as one may think of it. */
export class ModelChannel {
  readonly capacity: number;
  buffer: number[] = [];
  senders: Place<SendChoice>[] = [];
  receivers: Place<ReceiveChoice>[] = [];
  readonly open = { send: new Set([0]), receive: new Set([0]) };
  /** How many handles have been made. */
  readonly handles = { send: 1, receive: 1 };
  peak = 0;
  /** Everything that was sent, and received, each in the order in which that was decided. */
  readonly sent: number[] = [];
  readonly received: number[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  statistics(): MemoryChannelStatistics {
    return {
      currentBufferUsed: this.buffer.length,
      peakBufferUsed: this.peak,
      maxBufferSize: this.capacity,
      openSendChannels: this.open.send.size,
      openReceiveChannels: this.open.receive.size,
      tasksWaitingSend: this.senders.length,
      tasksWaitingReceive: this.receivers.length,
    };
  }

  put(value: number): void {
    this.buffer.push(value);
    this.peak = Math.max(this.peak, this.buffer.length);
  }
}

/**
 * Says what each operation must come to, by a model that knows nothing of the implementation: everything happens in one place, one thing after another,
 * in the order in which it is told; with plain arrays, and without promises.
 */
export class Referee {
  readonly channels: readonly ModelChannel[];
  readonly #waiting = new Set<Operation>();
  #toFollow: (() => void)[] = [];
  #now = 0;

  constructor(channels: readonly ModelChannel[]) {
    this.channels = channels;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** An operation begins. `chance` chooses among what can be done at once; without it the first is. `mayWait`: or else it would block. */
  begins(operation: Operation, mayWait: boolean, chance?: () => number): void {
    const ready = operation.choices.filter((choice) => this.#isReady(choice));
    const n = chance === undefined || ready.length < 2 ? 0 : Math.floor(chance() * ready.length);
    const chosen = ready[n];
    if (chosen !== undefined) this.#decide(operation, this.#perform(chosen));
    else if (!mayWait) this.#decide(operation, "WouldBlock");
    else this.#wait(operation);
  }

  /** Deadlines of one instant are one cancellation: what follows from it comes after all of them. */
  isCancelled(operation: Operation, isDeadline = false): void {
    if (operation.outcome !== undefined) return;
    this.#decide(operation, "cancelled");
    if (isDeadline) this.#toFollow.push(operation.onCancelled);
    else operation.onCancelled();
  }

  happens(happening: Happening, outcome: NonNullable<Happening["outcome"]>): void {
    happening.outcome = outcome;
    for (const operation of [...happening.line]) {
      const choice = operation.choices.find((choice) => choice.of === "happening" && choice.what === happening);
      this.#decide(operation, happened(choice as Choice, outcome));
    }
  }

  closes(side: "send" | "receive", channel: ModelChannel, handle: number): void {
    if (!channel.open[side].delete(handle)) return;
    const line = side === "send" ? channel.senders : channel.receivers;
    for (const place of [...line]) if (place.choice.handle === handle) this.#decide(place.operation, { error: "ClosedResourceError" });
    if (channel.open[side].size > 0) return;
    if (side === "send") for (const { operation, choice } of [...channel.receivers]) this.#decide(operation, atEnd(choice));
    else {
      channel.buffer = [];
      for (const { operation } of [...channel.senders]) this.#decide(operation, { error: "BrokenResourceError" });
    }
  }

  /** Time passes. At one instant, deadlines come before timeouts. */
  isTime(now: number, isDeadline = false): void {
    if (!isDeadline) for (const follow of this.#toFollow.splice(0)) follow();
    for (;;) {
      const over = [...this.#waiting].flatMap((operation) => operation.ends.map((end) => ({ ...end, operation })));
      const next = over.filter(({ at }) => (isDeadline ? at < now : at <= now)).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#decide(next.operation, { key: next.key, value: undefined });
    }
    this.#now = now;
  }

  #isReady(choice: Choice): boolean {
    switch (choice.of) {
      case "send": {
        const { channel, handle } = choice;
        const isPlace = channel.buffer.length < channel.capacity || channel.receivers.length > 0;
        return !channel.open.send.has(handle) || channel.open.receive.size === 0 || isPlace;
      }
      case "receive": {
        const { channel, handle } = choice;
        return !channel.open.receive.has(handle) || channel.open.send.size === 0 || channel.buffer.length + channel.senders.length > 0;
      }
      case "happening":
        return choice.what.outcome !== undefined;
      case "timeout":
        return false;
    }
  }

  #perform(choice: Choice): Outcome {
    switch (choice.of) {
      case "send":
        return this.#send(choice);
      case "receive":
        return this.#receive(choice);
      case "happening":
        return happened(choice, choice.what.outcome as NonNullable<Happening["outcome"]>);
      case "timeout":
        throw new Error("a timeout is never ready");
    }
  }

  #send(choice: SendChoice): Outcome {
    const { key, channel, handle, value } = choice;
    if (!channel.open.send.has(handle)) return { error: "ClosedResourceError" };
    if (channel.open.receive.size === 0) return { error: "BrokenResourceError" };
    channel.sent.push(value);
    const [receiver] = channel.receivers;
    if (receiver === undefined) channel.put(value);
    else {
      channel.received.push(value);
      this.#decide(receiver.operation, item(receiver.choice, value));
    }
    return { key, value: undefined };
  }

  #receive(choice: ReceiveChoice): Outcome {
    const { channel, handle } = choice;
    if (!channel.open.receive.has(handle)) return { error: "ClosedResourceError" };
    const taken = channel.buffer.shift();
    const [sender] = channel.senders;
    if (sender !== undefined) {
      channel.sent.push(sender.choice.value);
      if (taken !== undefined) channel.put(sender.choice.value);
      this.#decide(sender.operation, { key: sender.choice.key, value: undefined });
    }
    const value = taken ?? sender?.choice.value;
    if (value === undefined) return atEnd(choice);
    channel.received.push(value);
    return item(choice, value);
  }

  #wait(operation: Operation): void {
    const now = operation.choices.find((choice) => choice.of === "timeout" && choice.ms === 0);
    if (now !== undefined) {
      this.#decide(operation, { key: now.key, value: undefined });
      return;
    }
    this.#waiting.add(operation);
    for (const choice of operation.choices) {
      if (choice.of === "send") choice.channel.senders.push({ operation, choice });
      else if (choice.of === "receive") choice.channel.receivers.push({ operation, choice });
      else if (choice.of === "happening") choice.what.line.push(operation);
      else operation.ends = [...operation.ends, { key: choice.key, at: this.#now + choice.ms }];
    }
  }

  /** What loses is as if it had never been. */
  #decide(operation: Operation, outcome: Outcome): void {
    if (operation.outcome !== undefined) return;
    operation.outcome = outcome;
    this.#waiting.delete(operation);
    for (const channel of this.channels) {
      channel.senders = channel.senders.filter((place) => place.operation !== operation);
      channel.receivers = channel.receivers.filter((place) => place.operation !== operation);
    }
    for (const choice of operation.choices) {
      if (choice.of === "happening") choice.what.line = choice.what.line.filter((other) => other !== operation);
    }
  }
}

function happened({ key }: Choice, outcome: NonNullable<Happening["outcome"]>): Outcome {
  return "error" in outcome ? outcome : { key, ...outcome };
}

function item({ key, orEnd }: ReceiveChoice, value: number): Outcome {
  return { key, value: orEnd ? { done: false, value } : value };
}

function atEnd({ key, orEnd }: ReceiveChoice): Outcome {
  return orEnd ? { key, value: { done: true, value: undefined } } : { error: "EndOfChannel" };
}
