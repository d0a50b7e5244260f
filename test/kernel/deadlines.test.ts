import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentEffectiveDeadline,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  openNursery,
  run,
  sleep,
  sleepForever,
  sleepUntil,
  TimeoutError,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

const never = Number.POSITIVE_INFINITY;

/** How long a body that waits for ever was let wait, by a scope that it may change. */
function lastsUntil(scope: CancelScope, change: (scope: CancelScope) => unknown = () => {}): Promise<number> {
  return simulate(async () => {
    await scope.run(async () => {
      await change(scope);
      await sleepForever();
    });
    return now();
  });
}

describe("DL1:", () => {
  test("the default deadline is Infinity", () => expect(new CancelScope().deadline).toBe(never));

  test("it may be assigned before entry, and counts from then on", async () => {
    const scope = new CancelScope();
    scope.deadline = 7;
    expect(scope.deadline).toBe(7);
    expect(await lastsUntil(scope)).toBe(7);
  });

  test("and after entry, with immediate effect, earlier and later, any number of times", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }), async (deadlines) => {
        const scope = new CancelScope({ timeout: 50 });
        const end = await lastsUntil(scope, () => {
          for (const at of deadlines) scope.deadline = at;
        });
        expect(end).toBe(deadlines.at(-1));
      }),
    );
  });

  test("by anyone, while the body is blocked", async () => {
    const scope = new CancelScope();
    await simulate(async (nursery) => {
      nursery.startSoon(() => scope.run(() => sleepForever()));
      await sleep(5);
      scope.deadline = 12;
      await sleep(6);
      expect(scope.cancelCalled).toBe(false);
      await sleep(1);
      expect(scope.cancelCalled).toBe(true);
    });
  });

  test("one in the past cancels at the next checkpoint, and at every one after that", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        await sleep(5);
        scope.deadline = 3;
        for (let i = 0; i < 3; i++) expect(await rejectionOf(checkpoint())).toBe(scope.signal.reason);
      }),
    );
  });

  test("Infinity takes it back", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      await scope.run(async () => {
        scope.deadline = never;
        await sleep(100);
      });
      expect([scope.cancelCalled, now()]).toEqual([false, 100]);
    });
  });
});

describe("DL2: a deadline does nothing after the block was left", () => {
  test("by itself", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await scope.run(() => {});
      await sleep(10);
    });
    expect(scope.cancelCalled).toBe(false);
  });

  test("nor if it is moved then", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await scope.run(() => {});
      scope.deadline = 7;
      await sleep(10);
    });
    expect(scope.cancelCalled).toBe(false);
  });
});

describe("DL3: a timeout counts from entry, not from construction:", () => {
  test("of a CancelScope", async () => {
    const scope = new CancelScope({ timeout: 5 });
    await simulate(async () => {
      await sleep(100);
      await scope.run(() => sleepForever());
      expect(now()).toBe(105);
    });
  });

  test("of every function that takes one", async () => {
    await simulate(async () => {
      await moveOnAfter(5, () => sleepForever());
      expect(now()).toBe(5);
      await failAfter(5, () => sleepForever()).catch(() => {});
      expect(now()).toBe(10);
      await moveOnAt(20, () => sleepForever());
      expect(now()).toBe(20);
      await failAt(30, () => sleepForever()).catch(() => {});
      expect(now()).toBe(30);
    });
  });
});

describe("DL4: the deadline of a scope with a timeout that has not been entered", () => {
  test("cannot be read", () => {
    const scope = new CancelScope({ timeout: 5 });
    const message = "the deadline of a scope with a timeout is known from its entry on, because the timeout counts from there";
    expect(thrownBy(() => scope.deadline)).toEqual(new UsageError(message));
  });

  test("can be read from entry on", async () => {
    await simulate(async () => {
      await sleep(10);
      await new CancelScope({ timeout: 5 }).run((scope) => expect(scope.deadline).toBe(15));
    });
  });

  test("can be assigned, and replaces the timeout", async () => {
    const scope = new CancelScope({ timeout: 5 });
    scope.deadline = 50;
    expect(scope.deadline).toBe(50);
    expect(await lastsUntil(scope)).toBe(50);
  });
});

describe("DL5: a wrong time is an error at the call:", () => {
  const nan = Number.NaN;
  const wrong: [call: string, error: Error, body: () => unknown][] = [
    ["CancelScope({ timeout: NaN })", duration("timeout", nan), () => new CancelScope({ timeout: nan })],
    ["CancelScope({ timeout: -1 })", duration("timeout", -1), () => new CancelScope({ timeout: -1 })],
    ["CancelScope({ timeout: -Infinity })", duration("timeout", -never), () => new CancelScope({ timeout: -never })],
    [
      "CancelScope({ timeout: '5' })",
      new TypeError('timeout is a number of milliseconds, not "5"'),
      () => new CancelScope({ timeout: "5" as never }),
    ],
    ["CancelScope({ cleanupTimeout: -1 })", duration("cleanupTimeout", -1), () => new CancelScope({ cleanupTimeout: -1 })],
    [
      "CancelScope({ deadline: NaN })",
      new RangeError("deadline is an instant of now(), in milliseconds, not NaN"),
      () => new CancelScope({ deadline: nan }),
    ],
    [
      "CancelScope({ deadline: new Date() })",
      new TypeError("deadline is an instant of now(), in milliseconds, not a Date"),
      () => new CancelScope({ deadline: new Date(0) as never }),
    ],
    [
      "CancelScope({ timeout, deadline })",
      new UsageError("a scope takes `timeout` (milliseconds from its entry) or `deadline` (an instant of now()), not both"),
      () => new CancelScope({ timeout: 1, deadline: 1 }),
    ],
    [
      "scope.deadline = NaN",
      new RangeError("deadline is an instant of now(), in milliseconds, not NaN"),
      () => {
        new CancelScope().deadline = nan;
      },
    ],
  ];
  for (const [call, error, body] of wrong) test(call, () => expect(thrownBy(body)).toEqual(error));

  const rejected: [call: string, error: Error, body: () => Promise<unknown>][] = [
    ["moveOnAfter(NaN)", duration("timeout", nan), () => moveOnAfter(nan, () => {})],
    ["moveOnAfter(-1)", duration("timeout", -1), () => moveOnAfter(-1, () => {})],
    ["failAfter(-1)", duration("timeout", -1), () => failAfter(-1, () => {})],
    ["moveOnAt(NaN)", new RangeError("deadline is an instant of now(), in milliseconds, not NaN"), () => moveOnAt(nan, () => {})],
    ["failAt(NaN)", new RangeError("deadline is an instant of now(), in milliseconds, not NaN"), () => failAt(nan, () => {})],
    ["sleep(NaN)", duration("the time of sleep()", nan), () => sleep(nan)],
    ["sleep(-1)", duration("the time of sleep()", -1), () => sleep(-1)],
    ["sleep('1')", new TypeError('the time of sleep() is a number of milliseconds, not "1"'), () => sleep("1" as never)],
    ["sleepUntil(NaN)", new RangeError("the time of sleepUntil() is an instant of now(), in milliseconds, not NaN"), () => sleepUntil(nan)],
  ];
  for (const [call, error, body] of rejected) {
    test(`${call} rejects`, async () => {
      await simulate(async () => expect(await rejectionOf(body())).toEqual(error));
    });
  }

  test("a negative instant is legal: it has passed", async () => {
    expect(await simulate(() => moveOnAt(-5, () => checkpoint().then(() => "never")))).toBe(undefined);
    await simulate(() => sleepUntil(-5));
  });

  function duration(what: string, ms: number): RangeError {
    return new RangeError(`${what} is a number of milliseconds that is not negative (Infinity for no limit), not ${ms}`);
  }
});

describe("DL6: the effective deadline", () => {
  test("is the earliest of the scopes outwards, up to a shield", async () => {
    const scopes = fc.array(fc.record({ deadline: fc.option(fc.integer({ min: 1, max: 9 }), { nil: never }), shield: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(scopes, async (list) => {
        let expected = never;
        const descend = (i: number): Promise<unknown> => {
          const options = list[i];
          if (options === undefined) return Promise.resolve(expect(currentEffectiveDeadline()).toBe(expected));
          expected = Math.min(options.shield ? never : expected, options.deadline);
          return new CancelScope(options).run(() => descend(i + 1));
        };
        await simulate(() => descend(0));
      }),
    );
  });

  test("is -Infinity where it is cancelled, and `remaining` 0", async () => {
    await simulate(() =>
      new CancelScope({ timeout: 5 }).run((outer) =>
        new CancelScope().run((inner) => {
          outer.cancel();
          expect([outer.effectiveDeadline, inner.effectiveDeadline, inner.remaining]).toEqual([-never, -never, 0]);
          expect(currentEffectiveDeadline(outer)).toBe(-never);
        }),
      ),
    );
  });

  test("is Infinity where there is none, and so is `remaining`", async () => {
    await simulate((nursery) => expect([nursery.effectiveDeadline, nursery.remaining]).toEqual([never, never]));
  });

  test("`remaining` is the time until then, never below 0", async () => {
    await simulate(() =>
      new CancelScope({ timeout: 5 }).run(async (scope) => {
        await sleep(2);
        expect([scope.deadline, scope.remaining]).toEqual([5, 3]);
      }),
    );
    const past = new CancelScope();
    past.deadline = -1;
    expect(past.remaining).toBe(0);
  });
});

describe("DL7:", () => {
  test("moveOnAfter and moveOnAt swallow their own timeout, and resolve to undefined", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(5, () => sleepForever())).toBe(undefined);
      expect(await moveOnAt(9, () => sleepForever())).toBe(undefined);
      expect(now()).toBe(9);
    });
  });

  test("failAfter and failAt throw a TimeoutError", async () => {
    await simulate(async () => {
      const after = await rejectionAs(
        TimeoutError,
        failAfter(5, () => sleepForever()),
      );
      expect([after.message, after.scope]).toEqual(["timed out in root > scope: it took longer than 5 ms", "root > scope"]);
      const at = await rejectionAs(
        TimeoutError,
        failAt(9, () => sleepForever()),
      );
      expect(at.message).toBe("timed out in root > scope: its deadline passed");
    });
  });

  test("what is in time has its value, or its own error", async () => {
    await simulate(async () => {
      const error = new Error("in time");
      for (const within of [moveOnAfter, moveOnAt, failAfter, failAt]) {
        expect(await within(1_000, () => sleep(5).then(() => "in time"))).toBe("in time");
        expect(await rejectionOf(within(1_000, () => sleep(5).then(() => Promise.reject(error))))).toBe(error);
      }
    });
  });

  test("what comes too late, but comes, has its value: the body was not interrupted", async () => {
    await simulate(async () => {
      const late = async () => {
        await sleepForever().catch(() => {});
        return "late";
      };
      expect(await moveOnAfter(5, late)).toBe("late");
      expect(await failAfter(5, late)).toBe("late");
    });
  });

  test("a failure of the body after the timeout is that failure", async () => {
    const error = new Error("while cleaning up");
    const failing = () => sleepForever().catch(() => Promise.reject(error));
    await simulate(async () => {
      expect(await rejectionOf(moveOnAfter(5, failing))).toBe(error);
      expect(await rejectionOf(failAfter(5, failing))).toBe(error);
    });
  });

  test("the outer of two scopes that time out has the say", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(5, () => failAfter(5, () => sleepForever()))).toBe(undefined);
      const promise = failAfter(5, () => moveOnAfter(5, () => sleepForever()));
      expect(await rejectionOf(promise)).toBeInstanceOf(TimeoutError);
    });
  });

  test("a cancellation from outside passes failAfter as it is", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const promise = failAfter(100, async () => {
          outer.cancel();
          await checkpoint();
        });
        expect(await rejectionOf(promise)).toBe(outer.signal.reason);
      }),
    );
  });
});

// Trio's quirk (issue 698) is kept, because there is no value to return; only the message tells.
test("DL8: failAfter throws a TimeoutError also when its own cancel() was called", async () => {
  await simulate(async () => {
    const promise = failAfter(100, async (scope) => {
      scope.cancel();
      await checkpoint();
    });
    expect(await rejectionAs(TimeoutError, promise)).toHaveProperty("message", "timed out in root > scope: its own cancel() was called");
  });
});

describe("DL9: at one instant", () => {
  test("all scopes that expire are cancelled before any task runs, so the outermost catches", async () => {
    const outer = new CancelScope({ timeout: 5 });
    const inner = new CancelScope({ timeout: 5 });
    await simulate(() => outer.run(() => inner.run(() => sleepForever())));
    expect([outer.cancelledCaught, inner.cancelledCaught]).toEqual([true, false]);
  });

  test("whichever of them was entered, or moved, first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (order) => {
        const scopes = order.map(() => new CancelScope());
        const descend = (i: number): Promise<unknown> => {
          if (i < scopes.length) return (scopes[i] as CancelScope).run(() => descend(i + 1));
          for (const n of order) (scopes[n] as CancelScope).deadline = 5;
          return sleepForever();
        };
        await simulate(() => descend(0));
        expect(scopes.map(({ cancelledCaught }) => cancelledCaught)).toEqual([true, false, false, false]);
      }),
    );
  });

  test("a deadline comes before a sleeper: moveOnAfter(5) around sleep(5) times out", async () => {
    expect(await simulate(() => moveOnAfter(5, () => sleep(5).then(() => "slept")))).toBe(undefined);
  });

  test("also if the sleep began before the scope", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      nursery.startSoon(() =>
        scope.run(async () => {
          await sleep(5);
          log.push("slept");
        }),
      );
      await checkpoint();
      scope.deadline = 5;
    });
    expect(log).toEqual([]);
  });
});

describe("DL10: sleeping no time", () => {
  test("is a checkpoint that does not block", async () => {
    await simulate(async () => {
      await sleep(0);
      await sleepUntil(0);
      await sleepUntil(-5);
      expect(now()).toBe(0);
    });
  });

  test("throws in a scope that has expired", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        await sleep(5);
        scope.deadline = 5;
        expect(await rejectionOf(sleep(0))).toBe(scope.signal.reason);
        expect(await rejectionOf(sleepUntil(0))).toBe(scope.signal.reason);
      }),
    );
  });
});

test("DL11: sleepForever() and sleep(Infinity) end by a cancellation only", async () => {
  await simulate(async () => {
    for (const sleeping of [() => sleepForever(), () => sleep(never), () => sleepUntil(never)]) {
      const before = now();
      expect(await moveOnAfter(1e15, sleeping)).toBe(undefined);
      expect(now()).toBe(before + 1e15);
    }
  });
});

describe("DL12: in real time", () => {
  test("a sleep is never early", async () => {
    await run(() =>
      openNursery(async (nursery) => {
        for (let i = 1; i <= 40; i++) {
          nursery.startSoon(async () => {
            const begin = now();
            await sleep(i / 2);
            expect(now() - begin).toBeGreaterThanOrEqual(i / 2);
          });
        }
      }),
    );
  });

  test("nor is a deadline", async () => {
    await run(() =>
      openNursery(async (nursery) => {
        for (let i = 1; i <= 40; i++) {
          nursery.startSoon(async () => {
            const begin = now();
            await moveOnAfter(i / 2, () => sleepForever());
            expect(now() - begin).toBeGreaterThanOrEqual(i / 2);
          });
        }
      }),
    );
  });
});

test("DL13: deadlines that come and go leave nothing behind, however many, also while something else is due", async () => {
  const refs: WeakRef<CancelScope>[] = [];
  await simulate(async (nursery) => {
    nursery.startSoon(() => sleep(1e12));
    await checkpoint();
    for (let i = 0; i < 20_000; i++) {
      await moveOnAfter(1e9 + i, (scope) => {
        scope.deadline = 1e9 + 2 * i;
        if (i % 10 === 0) refs.push(new WeakRef(scope));
      });
    }
    await checkpoint();
    globalThis.gc?.();
    const kept = refs.filter((ref) => ref.deref() !== undefined).length;
    expect(kept).toBeLessThan(refs.length / 5);
  });
});

test("in real time, a deadline that is found overdue leaves the others as they are", async () => {
  const log: string[] = [];
  await run(async (nursery) => {
    nursery.startSoon(() => sleep(20).then(() => log.push("sleeper")));
    await checkpoint();
    await moveOnAfter(2, async (scope) => {
      while (now() < scope.deadline);
      await checkpoint();
    });
    log.push("deadline");
  });
  expect(log).toEqual(["deadline", "sleeper"]);
});

test("DL14: a deadline that is moved from outside the run takes effect", async () => {
  let scope: CancelScope | undefined;
  const running = run(() =>
    new CancelScope({ timeout: 3_600_000 }).run((own) => {
      scope = own;
      return sleepForever();
    }),
  );
  setTimeout(() => {
    (scope as CancelScope).deadline = now();
  }, 5);
  expect(await running).toBe(undefined);
  expect(scope?.cancelledCaught).toBe(true);
});
