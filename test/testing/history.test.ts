import { describe, expect, test } from "vitest";
import { type Cancellable, CancelScope, checkpoint, Lock, moveOnAfter, openNursery, sleep, UsageError } from "../../src/index.js";
import {
  assertLinearizable,
  explore,
  recordHistory,
  ScheduleFailure,
  type SequentialModel,
  type Sim,
  simulate,
} from "../../src/testing/index.js";
import { rejectionOf } from "../kernel/support.js";

class Box {
  #value = 0;
  readonly size = 1;

  async set(value: number, scope?: Cancellable): Promise<void> {
    await checkpoint(scope);
    this.#value = value;
  }

  async get(): Promise<number> {
    return this.peek();
  }

  peek(): number {
    return this.#value;
  }

  refuse(): never {
    throw new RangeError("no");
  }

  async break(): Promise<void> {
    await checkpoint();
    throw new RangeError("broken");
  }

  wait(ms: number, scope?: Cancellable): Promise<void> {
    return sleep(ms, scope);
  }
}

describe("recordHistory()", () => {
  test("writes down tasks, arguments, results and errors, with the order of calls and returns, and the steps", async () => {
    await simulate(async (sim) => {
      const { object: box, history } = recordHistory(sim, new Box());
      await openNursery((nursery) => {
        nursery.startSoon(() => box.set(1), { name: "A" });
        nursery.startSoon(() => box.get(), { name: "B" });
      });
      expect(() => box.refuse()).toThrow("no");
      expect(await rejectionOf(box.break())).toMatchObject({ message: "broken" });
      expect(box.size).toBe(1);
      const nothing = { result: undefined, error: undefined, failed: false, cancelled: false };
      const error = expect.any(RangeError) as RangeError;
      expect(history).toEqual([
        { ...nothing, task: "A", op: "set", args: [1], call: 1, ret: 4, callStep: 1, retStep: 3 },
        { ...nothing, task: "B", op: "get", args: [], result: 0, call: 2, ret: 3, callStep: 2, retStep: 2 },
        { ...nothing, task: "main", op: "refuse", args: [], error, failed: true, call: 5, ret: 6, callStep: 4, retStep: 4 },
        { ...nothing, task: "main", op: "break", args: [], error, failed: true, call: 7, ret: 8, callStep: 4, retStep: 5 },
      ]);
    });
  });

  test("tells what was cancelled, and what goes on; a scope at the end is no argument", async () => {
    await simulate(async (sim) => {
      const { object: box, history } = recordHistory(sim, new Box());
      await moveOnAfter(5, () => box.wait(10));
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await box.wait(10, scope);
      });
      await openNursery(async (nursery) => {
        nursery.startSoon((task) => box.wait(1, task), { name: "A" });
        await checkpoint();
        await checkpoint();
        expect(history.at(-1)).toMatchObject({ task: "A", args: [1], ret: Number.POSITIVE_INFINITY, retStep: Number.POSITIVE_INFINITY });
      });
      expect(history).toMatchObject([
        { args: [10], cancelled: true, failed: false, error: undefined },
        { args: [10], cancelled: true, failed: false },
        { args: [1], cancelled: false, failed: false },
      ]);
    });
  });

  test("finds the task also where scopes are passed by hand", async () => {
    await simulate(
      async (sim) => {
        const { object: box, history } = recordHistory(sim, new Box());
        await openNursery((nursery) => {
          nursery.startSoon((task) => box.wait(1, task), { name: "A" });
          nursery.startSoon(() => void box.peek(), { name: "B" });
        }, sim);
        expect(history.map(({ task }) => task)).toEqual(["A", "B"]);
      },
      { ambient: false },
    );
  });

  test("records the methods that are named only, and those of an object that are replaced", async () => {
    await simulate(async (sim) => {
      const box = new Box();
      const { object, history } = recordHistory(sim, box, { methods: ["peek"] });
      await object.get();
      object.peek();
      object.peek = () => 7;
      expect(object.peek()).toBe(7);
      expect(history.map(({ op, result }) => [op, result])).toEqual([
        ["peek", 0],
        ["peek", 7],
      ]);
      expect(object).toBeInstanceOf(Box);
      expect(object.get).toBe(object.get);
    });
  });

  test("refuses what is no controller", () => {
    expect(() => recordHistory({} as Sim, new Box())).toThrow(UsageError);
  });
});

const register: SequentialModel<number> = {
  init: () => 0,
  step: (state, op, [value], result) => (op === "set" ? { state: value as number } : result === state ? { state } : undefined),
};

/** A cache in front of a slow store. Without the lock a reader may put back what a writer has just replaced. */
class Cache {
  readonly #store = { value: 0 };
  #cached: number | undefined = undefined;
  readonly #lock: Lock | undefined;

  constructor(isLocked: boolean) {
    this.#lock = isLocked ? new Lock() : undefined;
  }

  get(): Promise<number> {
    return this.#guarded(async () => {
      if (this.#cached !== undefined) return this.#cached;
      const { value } = this.#store;
      await checkpoint();
      this.#cached = value;
      return value;
    });
  }

  set(value: number): Promise<void> {
    return this.#guarded(async () => {
      this.#store.value = value;
      this.#cached = undefined;
      await checkpoint();
    });
  }

  #guarded<T>(body: () => Promise<T>): Promise<T> {
    return this.#lock === undefined ? body() : this.#lock.run(body);
  }
}

describe("under explore()", () => {
  const program = (isLocked: boolean) => async (sim: Sim) => {
    const { object: cache, history } = recordHistory(sim, new Cache(isLocked));
    await openNursery((nursery) => {
      nursery.startSoon(
        async () => {
          await cache.get();
          await cache.get();
        },
        { name: "reader" },
      );
      nursery.startSoon(() => cache.set(1), { name: "writer" });
    });
    await cache.get();
    assertLinearizable(history, register);
  };

  test("a stale value in a cache is found, and told as what it is", async () => {
    const failure = (await rejectionOf(explore(program(false)))) as ScheduleFailure;
    expect(failure).toBeInstanceOf(ScheduleFailure);
    expect(failure.kind).toBe("nonlinearizable");
    expect(failure.message.split("\n\n")[0]).toMatchInlineSnapshot(`
      "nonlinearizable: NonlinearizableError: the history is not linearizable: no order of these operations explains all of their results
        operation          steps
        reader: get() = 0  1-3    |-|
        writer: set(1)     2-4     |---|
        reader: get() = 0  3         ||
        main: get() = 0    5            ||
      the longest order that is right: reader: get() = 0, reader: get() = 0, writer: set(1); then the state is 1
      not explained: main: get() = 0"
    `);
  });

  test("a correct one passes", async () => {
    expect((await explore(program(true), { schedules: 200 })).schedules).toBe(200);
  });
});
