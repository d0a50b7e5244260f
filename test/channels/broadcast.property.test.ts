import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Broadcast, CancelScope, checkpoint, isCancellation, type SlowPolicy, type Subscription, select, sleep } from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** What one task does, one after the other. Subscriptions are shared: `on` picks one of those that there are. */
type Step =
  | { readonly op: "send" | "sendNowait" | "sending" | "subscribe" | "checkpoint" | "close" }
  | { readonly op: "receive" | "receiveNowait" | "receiving" | "unsubscribe"; readonly on: number }
  | { readonly op: "sleep"; readonly ms: number };

interface Program {
  readonly capacity: number;
  readonly tasks: readonly { readonly steps: readonly Step[]; readonly cancelledAt: number | undefined }[];
}

const on = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom("send", "sendNowait", "sending") }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom("receive", "receiveNowait", "receiving"), on }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("subscribe", "checkpoint") }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("unsubscribe"), on }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("sleep"), ms: fc.nat({ max: 3 }) }) },
);
const lastly: fc.Arbitrary<Step[]> = fc.constantFrom<Step[]>([], [], [], [{ op: "close" }]);

const programs: fc.Arbitrary<Program> = fc.record({
  capacity: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
  tasks: fc.array(
    fc.record({
      steps: fc.tuple(fc.array(step, { maxLength: 12, size: "max" }), lastly).map(([steps, last]) => [...steps, ...last]),
      cancelledAt: fc.option(fc.nat({ max: 8 }), { nil: undefined, freq: 2 }),
    }),
    { minLength: 1, maxLength: 6, size: "max" },
  ),
});

type Call = symbol;
/** How a call ends: with an item, or by the name of an error; `"sent"` of a send. */
type Ending = number | string;

interface Reader {
  readonly items: number[];
  readonly waiting: Call[];
  dropped: number;
  state: "open" | "closed" | "cut off";
}

/** What must happen, told by a model that knows nothing of the implementation: a list of items for each subscriber. */
class Model {
  readonly readers: Reader[] = [];
  readonly senders: { readonly call: Call; readonly value: number }[] = [];
  readonly endings = new Map<Call, Ending>();
  isClosed = false;
  readonly #capacity: number;
  readonly #policy: SlowPolicy;

  constructor(capacity: number, policy: SlowPolicy) {
    this.#capacity = capacity;
    this.#policy = policy;
  }

  get #isHeldUp(): boolean {
    return this.#policy === "block" && this.readers.some(({ state, items }) => state === "open" && items.length === this.#capacity);
  }

  subscribe(): void {
    this.readers.push({ items: [], waiting: [], dropped: 0, state: "open" });
  }

  send(call: Call, value: number, mayWait: boolean): void {
    if (this.isClosed) this.endings.set(call, "ClosedResourceError");
    else if (!this.#isHeldUp) {
      this.#deliver(value);
      this.endings.set(call, "sent");
    } else if (mayWait) this.senders.push({ call, value });
    else this.endings.set(call, "WouldBlock");
  }

  receive(call: Call, reader: Reader, mayWait: boolean): void {
    const { state, items, waiting } = reader;
    if (state === "closed") this.endings.set(call, "ClosedResourceError");
    else if (state === "cut off") this.endings.set(call, "BrokenResourceError");
    else if (items.length > 0) {
      this.endings.set(call, items.shift() as number);
      this.#pump();
    } else if (this.isClosed) this.endings.set(call, "EndOfChannel");
    else if (mayWait) waiting.push(call);
    else this.endings.set(call, "WouldBlock");
  }

  unsubscribe(reader: Reader): void {
    if (reader.state !== "closed") for (const call of reader.waiting.splice(0)) this.endings.set(call, "ClosedResourceError");
    reader.state = "closed";
    reader.items.length = 0;
    this.#pump();
  }

  close(): void {
    this.isClosed = true;
    for (const { call } of this.senders.splice(0)) this.endings.set(call, "ClosedResourceError");
    for (const { waiting } of this.readers) for (const call of waiting.splice(0)) this.endings.set(call, "EndOfChannel");
  }

  /** What has been done by then is done. */
  cancel(call: Call): void {
    if (this.endings.has(call)) return;
    this.endings.set(call, "cancelled");
    for (const list of [this.senders, ...this.readers.map(({ waiting }) => waiting)] as (Call | { readonly call: Call })[][]) {
      const place = list.findIndex((each) => each === call || (each as { readonly call: Call }).call === call);
      if (place >= 0) list.splice(place, 1);
    }
  }

  #pump(): void {
    while (this.senders.length > 0 && !this.#isHeldUp) {
      const { call, value } = this.senders.shift() as { readonly call: Call; readonly value: number };
      this.#deliver(value);
      this.endings.set(call, "sent");
    }
  }

  #deliver(value: number): void {
    for (const reader of this.readers) {
      if (reader.state !== "open") continue;
      const { items, waiting } = reader;
      const call = waiting.shift();
      if (call !== undefined) this.endings.set(call, value);
      else if (items.length < this.#capacity) items.push(value);
      else if (this.#policy === "fail") {
        reader.state = "cut off";
        items.length = 0;
      } else {
        items.shift();
        items.push(value);
        reader.dropped++;
      }
    }
  }
}

async function endingOf(operation: () => Promise<Ending | undefined>): Promise<Ending> {
  try {
    return (await operation()) ?? "sent";
  } catch (error) {
    return isCancellation(error) ? "cancelled" : (error as Error).name;
  }
}

async function check(policy: SlowPolicy, { capacity, tasks }: Program, schedule: number): Promise<void> {
  const broadcast = new Broadcast<number>({ capacity, onSlow: policy });
  const subscriptions: Subscription<number>[] = [];
  const model = new Model(capacity, policy);
  let values = 0;

  const agree = () => {
    expect(subscriptions.map((each) => each.statistics())).toEqual(
      model.readers.map(({ items, dropped, waiting }) => ({
        currentBufferUsed: items.length,
        dropped,
        tasksWaitingReceive: waiting.length,
      })),
    );
    expect(broadcast.statistics()).toEqual({
      subscribers: model.readers.filter(({ state }) => state === "open").length,
      currentBufferUsed: Math.max(0, ...model.readers.map(({ items }) => items.length)),
      maxBufferSize: capacity,
      tasksWaitingSend: model.senders.length,
    });
  };

  const take = async (step: Step, scope: CancelScope, begin: (call: Call) => void): Promise<void> => {
    scope.throwIfCancelled();
    const call = Symbol(step.op);
    const subscription = "on" in step ? subscriptions[step.on % subscriptions.length] : undefined;
    const reader = "on" in step ? model.readers[step.on % subscriptions.length] : undefined;
    const run = async (note: () => void, operation: () => Promise<Ending | undefined>) => {
      begin(call);
      note();
      const ending = endingOf(operation);
      agree();
      const actual = await ending;
      expect(actual).toEqual(model.endings.get(call));
      if (actual === "cancelled") await checkpoint();
    };
    const value = values;
    switch (step.op) {
      case "send":
      case "sending":
      case "sendNowait": {
        values++;
        const mayWait = step.op !== "sendNowait";
        const operation = async () => {
          if (step.op === "send") await broadcast.send(value);
          else if (step.op === "sending") await select({ sent: broadcast.sending(value) });
          else broadcast.sendNowait(value);
          return undefined;
        };
        return run(() => model.send(call, value, mayWait), operation);
      }
      case "receive":
      case "receiving":
      case "receiveNowait": {
        if (subscription === undefined || reader === undefined) return checkpoint();
        const operation = async () => {
          if (step.op === "receive") return subscription.receive();
          return step.op === "receiving" ? (await select({ item: subscription })).value : subscription.receiveNowait();
        };
        return run(() => model.receive(call, reader, step.op !== "receiveNowait"), operation);
      }
      case "subscribe":
        if (model.isClosed) return;
        model.subscribe();
        subscriptions.push(broadcast.subscribe());
        return agree();
      case "unsubscribe":
        if (subscription === undefined || reader === undefined) return;
        model.unsubscribe(reader);
        subscription.close();
        return agree();
      case "close":
        model.close();
        broadcast.close();
        return agree();
      case "checkpoint":
        return checkpoint();
      case "sleep":
        return sleep(step.ms);
    }
  };

  await simulate(
    async (nursery) => {
      for (const { steps, cancelledAt } of tasks) {
        const scope = new CancelScope(cancelledAt === undefined ? {} : { timeout: cancelledAt });
        let current: Call | undefined;
        scope.signal.addEventListener("abort", () => {
          if (current !== undefined) model.cancel(current);
        });
        nursery.startSoon(() =>
          scope.run(async () => {
            for (const step of steps) {
              await take(step, scope, (call) => {
                current = call;
              });
            }
          }),
        );
      }
      await sleep(100);
      // Whoever still waits does so for good.
      model.close();
      broadcast.close();
      agree();
    },
    { pick: pickOf(schedule) },
  );
}

describe.each(["block", "dropOldest", "fail"] as const)("a broadcast that is to %s", (policy) => {
  test("R6, R11: does what its model does, whoever sends, receives, comes, goes and is cancelled when, in any order of wake-ups", async () => {
    await fc.assert(
      fc.asyncProperty(programs, schedules(), (program, schedule) => check(policy, program, schedule)),
      { numRuns: 1_000 },
    );
  });
});
