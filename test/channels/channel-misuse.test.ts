import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  type Cancellable,
  CancelScope,
  ClosedResourceError,
  currentTask,
  EndOfChannel,
  Event,
  MissingScopeError,
  openMemoryChannel,
  openNursery,
  run,
  ScopeEndedError,
  type Selectable,
  select,
  selectFair,
  timeout,
  UsageError,
  WouldBlock,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { refusal, rejection, untyped } from "../rules/r13-refusal.js";
import { simulate } from "../support/simulate.js";

const NO_SCOPE =
  "there is no scope here, so what this call starts would belong to nobody. Call it inside the body of run(), or pass a scope (or { signal }) as the last argument; after run(..., { ambient: false }) it is always passed.";

/** A channel with one item in it and room for one, and every operation on it. */
function operations(): {
  readonly effect: () => unknown;
  readonly all: Readonly<Record<string, (scope?: Cancellable) => Promise<unknown>>>;
} {
  const { send, receive } = openMemoryChannel<number>(2);
  send.sendNowait(0);
  const values = (scope: Cancellable | undefined) => receive.values(typeof scope === "object" ? { preventCancel: true, ...scope } : scope);
  return {
    effect: () => send.statistics(),
    all: {
      "send()": (scope) => send.send(1, scope),
      "receive()": (scope) => receive.receive(scope),
      "for await": (scope) => values(scope ?? {}).next(),
      "select()": (scope) => select({ item: receive }, scope),
      "selectFair()": (scope) => selectFair({ sent: send.sending(1) }, scope),
    },
  };
}

test.each([
  BrokenResourceError,
  ClosedResourceError,
  EndOfChannel,
  WouldBlock,
])("%o has the name of its class, and is no misuse", (type) => {
  const error = new type("m");
  expect([error.name, error.message]).toEqual([type.name, "m"]);
  expect(inspect(error)).toContain(`${type.name}: m`);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(UsageError);
});

describe("R13: a scope", () => {
  test("that is missing: nothing is sent or received", async () => {
    const { effect, all } = operations();
    const before = effect();
    for (const [name, call] of Object.entries(all)) {
      const error = await rejection(() => call());
      expect([name, error]).toEqual([name, new MissingScopeError(NO_SCOPE)]);
      expect(error).toBeInstanceOf(MissingScopeError);
    }
    await run(
      async () => {
        for (const call of Object.values(all)) expect(await rejection(() => call())).toBeInstanceOf(MissingScopeError);
      },
      { ambient: false },
    );
    expect(effect()).toEqual(before);
  });

  test("that has ended: nothing is sent or received", async () => {
    await simulate(async () => {
      const { effect, all } = operations();
      const before = effect();
      const ended = new CancelScope({ name: "ended" });
      await ended.run(() => {});
      for (const call of Object.values(all)) {
        const error = await refusal(() => call({ signal: ended.signal }));
        expect(error).toBeInstanceOf(ScopeEndedError);
        expect(error.message).toBe(
          "the scope root > ended has ended: something in it was not awaited and went on after its end. Await what you start, or start it in a nursery that lives long enough.",
        );
      }
      expect(effect()).toEqual(before);
    });
  });

  test("that is none, or was not entered: nothing is sent or received", async () => {
    await simulate(async () => {
      const { effect, all } = operations();
      const before = effect();
      for (const [name, call] of Object.entries(all)) {
        if (name === "for await") continue;
        expect(await refusal(() => call(untyped(5)))).toEqual(
          new TypeError("a scope, or an object with a `signal`, is expected as the last argument, not 5"),
        );
        expect(await refusal(() => call(new CancelScope({ name: "new" })))).toEqual(
          new UsageError("the scope new has not been entered: use it inside the body of its run()"),
        );
        expect(await refusal(() => call(untyped({ signal: 5 })))).toEqual(
          new TypeError("`signal` is expected to be an AbortSignal, not 5"),
        );
      }
      expect(effect()).toEqual(before);
      expect(await refusal(() => openMemoryChannel().receive.values(untyped("scope")).next())).toEqual(
        new TypeError('a scope, or an object with a `signal`, is expected as the last argument, not "scope"'),
      );
    });
  });
});

describe.each([
  ["select()", select],
  ["selectFair()", selectFair],
])("R13: %s", (_, choose) => {
  const call = (cases: unknown) => choose(cases as Readonly<Record<string, Selectable<unknown>>>);

  test("without a case would wait for ever", async () => {
    await simulate(async () => {
      for (const cases of [{}, new Map([["a", new Event()]])]) {
        expect(await refusal(() => call(cases))).toEqual(new UsageError("select() without a case would wait for ever"));
      }
    });
  });

  test("of what does not name its cases", async () => {
    const message = "select() takes an object that names its cases, as { job: jobs, late: timeout(500) }, not";
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(1);
      const wrong: readonly (readonly [cases: unknown, described: string])[] = [
        [null, "null"],
        [undefined, "undefined"],
        [5, "5"],
        ["jobs", '"jobs"'],
        [() => {}, "a function"],
        [[receive, timeout(5)], "a Array"],
        [[], "a Array"],
        [receive, "a MemoryReceiveChannel"],
        [new Event(), "a Event"],
        [currentTask(), "a Task"],
        [timeout(5), "an object"],
        [send.sending(1), "an object"],
      ];
      for (const [cases, described] of wrong) {
        const error = await refusal(() => call(cases));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toBe(`${message} ${described}`);
      }
    });
  });

  test("of a case that is nothing to choose: nothing is done, also of what comes before it", async () => {
    const advice = "It takes a receive end, send.sending(value), an Event, a Task, or timeout(ms)";
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(2);
      send.sendNowait(0);
      const wrong: readonly (readonly [of: unknown, described: string])[] = [
        [undefined, "undefined"],
        [null, "null"],
        [5, "5"],
        ["jobs", '"jobs"'],
        [Promise.resolve(), "a Promise"],
        [() => receive.receive(), "a function"],
        [{}, "an object"],
        [send, "a MemorySendChannel"],
        [new AbortController().signal, "a AbortSignal"],
      ];
      for (const [of, described] of wrong) {
        const error = await refusal(() => call({ item: receive, wrong: of }));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toBe(`the case wrong of select() is ${described}, which is nothing to choose. ${advice}`);
      }
      expect(send.statistics()).toMatchObject({ currentBufferUsed: 1, tasksWaitingReceive: 0 });
    });
  });

  test("of a task that would wait for itself, as join() does", async () => {
    await simulate(async (nursery) => {
      const task = nursery.startSoon(
        async (own) => {
          const error = new UsageError("root > own joins itself, or is joined from inside, and would wait for ever: join it from outside");
          expect(await refusal(() => own.join())).toEqual(error);
          expect(await refusal(() => call({ late: timeout(5), own }))).toEqual(error);
          // Whatever else could be done.
          const { send, receive } = openMemoryChannel<number>(1);
          send.sendNowait(1);
          expect(await refusal(() => call({ item: receive, own }))).toEqual(error);
          expect(receive.receiveNowait()).toBe(1);
          await openNursery(async (inner) => {
            await inner.startSoon(async () => expect(await refusal(() => call({ own, late: timeout(5) }))).toEqual(error)).join();
          });
          await new CancelScope().run(async () => expect(await refusal(() => call({ own }))).toEqual(error));
        },
        { name: "own" },
      );
      await task.join();
      expect(await refusal(() => call({ main: currentTask(), late: timeout(5) }))).toBeInstanceOf(UsageError);
    });
  });

  test("never throws itself: who does not await it expects no throw", async () => {
    for (const cases of [null, {}, { a: 1 }]) expect(await rejectionOf(call(cases))).toBeInstanceOf(Error);
  });
});

test("R13: the time of timeout() is a number of milliseconds that is not negative", () => {
  for (const ms of [-1, Number.NaN, Number.NEGATIVE_INFINITY, -1e-9]) {
    const error = thrownBy(() => timeout(ms));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toEqual(
      new RangeError(`the time of timeout() is a number of milliseconds that is not negative (Infinity for no limit), not ${ms}`),
    );
  }
  for (const [ms, described] of [
    ["5", '"5"'],
    [undefined, "undefined"],
    [null, "null"],
    [5n, "5"],
  ] as const) {
    const error = thrownBy(() => timeout(untyped(ms)));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toEqual(new TypeError(`the time of timeout() is a number of milliseconds, not ${described}`));
  }
  for (const ms of [0, -0, 1.5, 2 ** 40, Number.POSITIVE_INFINITY]) expect(() => timeout(ms)).not.toThrow();
});
