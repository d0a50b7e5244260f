import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  CapacityLimiter,
  checkpoint,
  Lock,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  Semaphore,
  sleep,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { assertLinearizable, explore, recordHistory, ScheduleFailure, type SequentialModel, type Sim } from "../../src/testing/index.js";
import { rejectionOf } from "../kernel/support.js";

/** What the permits of a thing are held by. A lock has one; those of a semaphore belong to nobody. */
interface Holder {
  acquire(scope?: Cancellable): Promise<void>;
  acquireNowait(scope?: Cancellable): void;
  release(scope?: Cancellable): void;
}

const owned = (permits: number): SequentialModel<readonly string[]> => ({
  init: () => [],
  step: (holders, op, _args, _result, { task }) => {
    if (op === "release") return holders.includes(task) ? { state: holders.filter((each) => each !== task) } : undefined;
    return holders.length < permits && !holders.includes(task) ? { state: [...holders, task] } : undefined;
  },
  fail: (holders, op, _args, error, { task }) => {
    if (error instanceof WouldBlock) return op === "acquireNowait" && holders.length >= permits ? { state: holders } : undefined;
    if (!(error instanceof UsageError)) return undefined;
    return (op === "release") === !holders.includes(task) ? { state: holders } : undefined;
  },
});

const counted = (permits: number): SequentialModel<number> => ({
  init: () => permits,
  step: (free, op) => (op === "release" ? { state: free + 1 } : free > 0 ? { state: free - 1 } : undefined),
  fail: (free, op, _args, error) => (op === "acquireNowait" && error instanceof WouldBlock && free === 0 ? { state: free } : undefined),
});

/** Four tasks that take it and give it back, one without waiting; two of them are cancelled at some time. */
const holders =
  <S>(make: () => Holder, model: SequentialModel<S>) =>
  async (sim: Sim): Promise<void> => {
    const { object, history } = recordHistory(sim, make(), { methods: ["acquire", "acquireNowait", "release"] });
    const hold = async () => {
      await object.acquire();
      try {
        await checkpoint();
      } finally {
        object.release();
      }
    };
    await openNursery((nursery) => {
      nursery.startSoon(
        async () => {
          await hold();
          await sleep(1);
          await hold();
        },
        { name: "A" },
      );
      for (const [i, name] of ["B", "C"].entries()) nursery.startSoon(() => moveOnAfter(i, hold), { name });
      nursery.startSoon(
        async () => {
          await checkpoint();
          try {
            object.acquireNowait();
          } catch (error) {
            if (error instanceof WouldBlock) return;
            throw error;
          }
          await sleep(1);
          object.release();
        },
        { name: "D" },
      );
      const cancelled = nursery.startSoon(hold, { name: "E" });
      nursery.startSoon(
        async () => {
          await checkpoint();
          cancelled.cancel();
        },
        { name: "F" },
      );
    });
    // Nothing that was cancelled has kept one.
    await object.acquire();
    object.release();
    assertLinearizable(history, model);
  };

/** A queue of so many places. One without any is taken to have one: a value is on its way from its sender to its receiver. */
const channelModel = (capacity: number): SequentialModel<readonly number[]> => ({
  init: () => [],
  step: (items, op, [value], result) => {
    if (op === "send" || op === "sendNowait")
      return items.length < Math.max(1, capacity) ? { state: [...items, value as number] } : undefined;
    return items[0] === result && items.length > 0 ? { state: items.slice(1) } : undefined;
  },
  fail: (items, op, _args, error) => {
    if (!(error instanceof WouldBlock)) return undefined;
    const isRight = op === "receiveNowait" ? items.length === 0 : capacity === 0 || items.length === capacity;
    return isRight ? { state: items } : undefined;
  },
});

/** The two ends as one object. */
class Channel {
  readonly #ends;

  constructor(capacity: number) {
    this.#ends = openMemoryChannel<number>(capacity);
  }

  send(value: number): Promise<void> {
    return this.#ends[0].send(value);
  }

  sendNowait(value: number): void {
    this.#ends[0].sendNowait(value);
  }

  receive(): Promise<number> {
    return this.#ends[1].receive();
  }

  receiveNowait(): number {
    return this.#ends[1].receiveNowait();
  }
}

function unlessBlocked(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof WouldBlock)) throw error;
  }
}

const channelProgram =
  (capacity: number, make: (capacity: number) => Channel) =>
  async (sim: Sim): Promise<void> => {
    const { object: channel, history } = recordHistory(sim, make(capacity));
    await openNursery(async (nursery) => {
      nursery.startSoon(
        async () => {
          await moveOnAfter(1, () => channel.send(1));
          await moveOnAfter(1, () => channel.send(2));
        },
        { name: "S" },
      );
      nursery.startSoon(
        async () => {
          await moveOnAfter(1, () => channel.send(3));
          unlessBlocked(() => channel.sendNowait(4));
        },
        { name: "T" },
      );
      for (const [i, name] of ["R", "Q"].entries()) {
        nursery.startSoon(
          async () => {
            await moveOnAfter(1 + i, () => channel.receive());
            unlessBlocked(() => channel.receiveNowait());
          },
          { name },
        );
      }
      const cancelled = nursery.startSoon(() => channel.receive(), { name: "X" });
      await checkpoint();
      cancelled.cancel();
    });
    // What is left comes in order.
    for (let i = 0; i < 3; i++) unlessBlocked(() => channel.receiveNowait());
    assertLinearizable(history, channelModel(capacity));
  };

const budget = { schedules: 400, timeMs: 20_000 } as const;

describe("under any schedule, with operations that are cancelled, the history is linearizable, and what was cancelled had no effect:", () => {
  test("Lock", async () => {
    expect(
      await explore(
        holders(() => new Lock(), owned(1)),
        budget,
      ),
    ).toMatchObject({ schedules: 400 });
  });

  for (const permits of [1, 2]) {
    test(`Semaphore(${permits})`, async () => {
      expect(
        await explore(
          holders(() => new Semaphore(permits), counted(permits)),
          budget,
        ),
      ).toMatchObject({ schedules: 400 });
    });
    test(`CapacityLimiter(${permits})`, async () => {
      expect(
        await explore(
          holders(() => new CapacityLimiter(permits), owned(permits)),
          budget,
        ),
      ).toMatchObject({ schedules: 400 });
    });
  }

  for (const capacity of [0, 1, 2]) {
    test(`a memory channel of capacity ${capacity}`, async () => {
      expect(
        await explore(
          channelProgram(capacity, (n) => new Channel(n)),
          budget,
        ),
      ).toMatchObject({ schedules: 400 });
    });
  }
});

describe("these tests find", () => {
  test("a semaphore that keeps a permit when it is cancelled", async () => {
    class Leaky extends Semaphore {
      override async acquire(scope?: Cancellable): Promise<void> {
        this.acquireNowait();
        await checkpoint(scope);
      }
    }
    expect(
      await rejectionOf(
        explore(
          holders(() => new Leaky(3), counted(3)),
          budget,
        ),
      ),
    ).toBeInstanceOf(ScheduleFailure);
  });

  test("a channel that loses an item when its receiver is cancelled", async () => {
    class Losing extends Channel {
      override async receive(): Promise<number> {
        const value = await super.receive();
        await checkpoint();
        return value;
      }
    }
    const failure = (await rejectionOf(
      explore(
        channelProgram(1, (n) => new Losing(n)),
        budget,
      ),
    )) as ScheduleFailure;
    expect(failure.kind).toBe("nonlinearizable");
  });

  test("a channel that is no queue", async () => {
    class Swapping extends Channel {
      override async send(value: number): Promise<void> {
        await super.send(value === 1 ? 3 : value === 3 ? 1 : value);
      }
    }
    const failure = (await rejectionOf(
      explore(
        channelProgram(2, (n) => new Swapping(n)),
        budget,
      ),
    )) as ScheduleFailure;
    expect(failure.kind).toBe("nonlinearizable");
  });
});
