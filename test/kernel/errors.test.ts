import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  CancelScope,
  currentScope,
  currentTask,
  DeadlockError,
  failAfter,
  MissingScopeError,
  Nursery,
  NurseryClosedError,
  openNursery,
  park,
  run,
  ScopeEndedError,
  shield,
  sleep,
  TaskCancelledError,
  TimeoutError,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { describe as tell } from "../../src/kernel/describe.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

describe("every error", () => {
  const cases: [type: { readonly name: string }, error: Error, base: unknown][] = [
    [UsageError, new UsageError("m"), Error],
    [MissingScopeError, new MissingScopeError("m"), UsageError],
    [NurseryClosedError, new NurseryClosedError("m"), UsageError],
    [ScopeEndedError, new ScopeEndedError("m", "root"), UsageError],
    [TimeoutError, new TimeoutError("m", "root"), Error],
    [TaskCancelledError, new TaskCancelledError("m", "root > t", undefined), Error],
    [BrokenResourceError, new BrokenResourceError("m"), Error],
    [WouldBlock, new WouldBlock("m"), Error],
    [DeadlockError, new DeadlockError("m", []), Error],
  ];
  for (const [type, error, base] of cases) {
    test(`${type.name} has the name of its class, and is what it should be`, () => {
      expect(error.name).toBe(type.name);
      expect(error.message).toBe("m");
      expect(error).toBeInstanceOf(base as typeof Error);
      expect(error.stack?.split("\n")[0]).toContain("m");
      expect(inspect(error)).toContain(type.name);
    });
  }

  test("has what it is about: a scope, a task, who waits", () => {
    expect(new ScopeEndedError("m", "root > x").scope).toBe("root > x");
    expect(new TimeoutError("m", "root > x").scope).toBe("root > x");
    const cause = new Error("why");
    expect(new TaskCancelledError("m", "root > t#1", cause)).toMatchObject({ task: "root > t#1", cause });
    const waiting = [{ task: "root", op: "sleep", on: "" }];
    expect(new DeadlockError("m", waiting).waiting).toBe(waiting);
  });
});

describe("MissingScopeError says both remedies:", () => {
  const message =
    "there is no scope here, so what this call starts would belong to nobody. Call it inside the body of run(), or pass a scope (or { signal }) as the last argument; after run(..., { ambient: false }) it is always passed.";

  test("from async functions as a rejection", async () => {
    for (const call of [
      () => sleep(1),
      () => openNursery(() => {}),
      () => failAfter(1, () => {}),
      () => shield(() => {}),
      () => park(() => {}),
    ]) {
      expect(await rejectionAs(MissingScopeError, call())).toHaveProperty("message", message);
    }
  });

  test("from sync ones as a throw", () => {
    for (const call of [() => currentScope(), () => currentTask(), () => Nursery.open()])
      expect(thrownBy(call)).toEqual(new MissingScopeError(message));
  });

  test("also for an options bag without a signal", async () => {
    expect(await rejectionOf(sleep(1, {}))).toEqual(new MissingScopeError(message));
    expect(await rejectionOf(sleep(1, { signal: undefined }))).toEqual(new MissingScopeError(message));
  });
});

describe("a scope argument of the wrong kind is a TypeError:", () => {
  const wrong: [value: unknown, message: string][] = [
    [1, "a scope, or an object with a `signal`, is expected as the last argument, not 1"],
    [null, "a scope, or an object with a `signal`, is expected as the last argument, not null"],
    ["scope", 'a scope, or an object with a `signal`, is expected as the last argument, not "scope"'],
    [{ signal: null }, "`signal` is expected to be an AbortSignal, not null"],
    [{ signal: {} }, "`signal` is expected to be an AbortSignal, not an object"],
    [{ signal: new EventTarget() }, "`signal` is expected to be an AbortSignal, not a EventTarget"],
    [{ signal: "x" }, '`signal` is expected to be an AbortSignal, not "x"'],
  ];
  for (const [value, message] of wrong) {
    test(message, async () => {
      await simulate(async () => expect(await rejectionOf(sleep(1, value as never))).toEqual(new TypeError(message)));
    });
  }
});

describe("a body that is no function is a UsageError, a promise one with advice:", () => {
  const advice = "and got a promise: what it stands for is running already, and cannot be owned. Pass () => work(), not work()";
  const calls: [name: string, call: (body: never) => PromiseLike<unknown>][] = [
    ["run()", (body) => run(body)],
    ["openNursery()", (body) => openNursery(body)],
    ["scope.run()", (body) => new CancelScope().run(body)],
    ["failAfter()", (body) => failAfter(1, body)],
    ["shield()", (body) => shield(body)],
    ["park()", (body) => park(body)],
    ["nursery.startSoon()", async (body) => openNursery((nursery) => nursery.startSoon(body).join())],
    ["nursery.start()", (body) => openNursery((nursery) => nursery.start(body))],
    ["scope.defer()", (body) => openNursery((nursery) => nursery.defer(body))],
  ];
  for (const [name, call] of calls) {
    test(name, async () => {
      await simulate(async () => {
        expect(await rejectionOf(call(Promise.resolve() as never))).toEqual(new UsageError(`${name} takes a function, ${advice}`));
        expect(await rejectionOf(call(1 as never))).toEqual(new UsageError(`${name} takes a function, not 1`));
        expect(await rejectionOf(call(undefined as never))).toEqual(new UsageError(`${name} takes a function, not undefined`));
        expect(await rejectionOf(call({} as never))).toEqual(new UsageError(`${name} takes a function, not an object`));
      });
    });
  }
});

describe("an option of the wrong kind is an error at the call:", () => {
  test("`errors` of a nursery", async () => {
    await simulate(async () => {
      const message = '`errors` of a nursery is "collapse" or "group"';
      expect(await rejectionOf(openNursery(() => {}, { errors: "all" as never }))).toEqual(new UsageError(message));
      expect(thrownBy(() => Nursery.open({ errors: 1 as never }))).toEqual(new UsageError(message));
      expect(await rejectionOf(run(() => {}, { errors: true as never }))).toEqual(new UsageError(message));
    });
  });
});

describe("describe() tells of any value in one line:", () => {
  const rows: [value: unknown, text: string][] = [
    [new TypeError("bad\n  thing"), "TypeError: bad thing"],
    ["text", '"text"'],
    ["two\nlines", '"two\\nlines"'],
    [undefined, "undefined"],
    [null, "null"],
    [1n, "1"],
    [Symbol("s"), "Symbol(s)"],
    [() => {}, "a function"],
    [function work() {}, "function work"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [new Map(), "a Map"],
    [[1], "a Array"],
  ];
  for (const [value, text] of rows) test(text, () => expect(tell(value)).toBe(text));

  test("cut at 160 characters", () => {
    expect(tell(new Error("x".repeat(500)))).toBe(`Error: ${"x".repeat(152)}…`);
    expect(tell("y".repeat(158))).toHaveLength(160);
  });

  test("without throwing, whatever is thrown when the value is looked at", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throwing = () => {
      throw new Error("no");
    };
    const hostile = [proxy, new Proxy({}, { get: throwing }), Object.defineProperty(new Error("x"), "message", { get: throwing })];
    for (const value of hostile) expect(tell(value)).toBe("a value that cannot be described");
  });

  test("anything at all", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
        const text = tell(value);
        expect(text).not.toContain("\n");
        expect(text.length).toBeLessThanOrEqual(160);
      }),
    );
  });
});
