import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, ErrorGroup, type Nursery, openNursery, sleep } from "../../src/index.js";
import { type SimulateOptions, simulate } from "../support/simulate.js";

const VALUES = {
  "an error": new Error("expected"),
  "a frozen error": Object.freeze(new Error("expected")),
  "a frozen object": Object.freeze({}),
  undefined: undefined,
  null: null,
  false: false,
  "the empty string": "",
  "a negative zero": -0,
  NaN: Number.NaN,
  "a function": () => {},
  "a symbol": Symbol("expected"),
  "an AbortError that is not ours": new DOMException("not ours", "AbortError"),
  "somebody else's AggregateError": new AggregateError([new Error("inside")]),
  "an object that throws when it is looked at": new Proxy(
    {},
    {
      get() {
        throw new Error("do not look");
      },
      getPrototypeOf() {
        throw new Error("do not look");
      },
    },
  ),
};

type Thrower = (nursery: Nursery, fail: () => never) => unknown;

const THROWERS: Readonly<Record<string, Thrower>> = {
  body: (_, fail) => fail(),
  "asynchronous body": async (nursery, fail) => {
    await checkpoint(nursery);
    fail();
  },
  task: (nursery, fail) => void nursery.startSoon(fail),
  "background task": async (nursery, fail) => {
    nursery.startSoon(fail, { background: true });
    // Without this it would be cancelled before it began.
    await sleep(1, nursery);
  },
  "started task": (nursery, fail) =>
    nursery.start(async (task, started) => {
      started(undefined);
      await checkpoint(task);
      fail();
    }),
  "starting task": (nursery, fail) => nursery.start(fail),
  cleanup: (nursery, fail) => nursery.defer(fail),
  "cleanup of a task": (nursery, fail) => void nursery.startSoon((task) => task.defer(fail)),
  "scope inside": (nursery, fail) => new CancelScope().run(fail, nursery),
  "nursery inside": (nursery, fail) => openNursery(fail, nursery),
};

/** What `run` throws, in a box because it may be anything. */
async function thrownBy(body: (root: Nursery) => unknown, options?: SimulateOptions): Promise<{ readonly error: unknown }> {
  try {
    await simulate(body, options);
  } catch (error) {
    return { error };
  }
  throw new Error("it did not fail");
}

describe.each(Object.entries(THROWERS))("R3: what a %s throws, and may it be anything", (_, thrower) => {
  test.each(Object.entries(VALUES))("%s: comes out as it is, and alone in a group where groups are asked for", async (_, value) => {
    const body = (root: Nursery) =>
      thrower(root, () => {
        throw value;
      });
    const { error } = await thrownBy(body);
    expect(Object.is(error, value)).toBe(true);
    let { error: inside } = await thrownBy(body, { errors: "group" });
    expect(inside).toBeInstanceOf(ErrorGroup);
    while (!Object.is(inside, value)) {
      const { errors } = inside as ErrorGroup;
      expect(errors.length).toBe(1);
      inside = errors[0];
    }
  });
});
