import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  type Nursery,
  now,
  openNursery,
  park,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
  type Task,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, unhandledDuring } from "./support.js";

/** R17: leaving a scope ends everything in it, also what nobody awaited. */
describe("an operation that nobody awaited", () => {
  test("is cancelled when its scope is left, and its rejection is never unhandled", async () => {
    const unhandled = await unhandledDuring(() =>
      run(async () => {
        await new CancelScope().run(() => {
          void sleepForever();
          void park(() => {});
          void new CancelScope().run(() => sleepForever());
          void openNursery((nursery) => void nursery.startSoon(() => sleepForever()));
        });
      }),
    );
    expect(unhandled).toEqual([]);
  });

  test("is undone", async () => {
    let undone = 0;
    await simulate(() =>
      openNursery(() => {
        void park(() => () => {
          undone++;
        });
      }),
    );
    expect(undone).toBe(1);
  });

  test("of a task is cancelled when the task ends", async () => {
    await simulate(async (nursery) => {
      let floating: unknown;
      await nursery
        .startSoon(() => {
          floating = rejectionOf(sleepForever());
        })
        .join();
      expect(await floating).toMatchObject({ kind: "shutdown", scope: "root > task#1" });
    });
  });

  for (const [name, start] of [
    ["run()", run],
    ["simulate()", simulate],
  ] as const) {
    test(`of the body of ${name} as well`, async () => {
      let floating: unknown = "nothing";
      await start(() => {
        sleepForever().catch((error) => {
          floating = error;
        });
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(floating).toBeInstanceOf(Cancelled);
    });
  }
});

describe("a scope that nobody awaited", () => {
  test("is cancelled when the scope around it is left, and its end is awaited", async () => {
    await simulate(async () => {
      const inner = new CancelScope({ name: "inner" });
      let floating: Promise<unknown> | undefined;
      await new CancelScope().run(() => {
        floating = inner.run(() => sleepForever().finally(() => shield(() => sleep(5))));
      });
      expect(now()).toBe(5);
      expect(inner.cancelCalled).toBe(true);
      expect(await floating).toBe(undefined);
      expect(inner.signal.reason).toMatchObject({ kind: "shutdown", scope: "root > inner" });
    });
  });

  test("is no unhandled rejection either where it ends after a cancellation from outside, and code that floats awaits it", async () => {
    const unhandled = await unhandledDuring(() =>
      run(() =>
        new CancelScope().run(async (outer) => {
          void (async () => {
            await new CancelScope().run(() => sleepForever().finally(() => shield(() => sleep(5))));
          })();
          outer.cancel();
        }),
      ),
    );
    expect(unhandled).toEqual([]);
  });

  test("as a nursery with tasks: they end before the scope does", async () => {
    await simulate(async () => {
      let task: Task | undefined;
      await new CancelScope().run(async () => {
        void openNursery((nursery) => {
          task = nursery.startSoon(() => sleepForever().finally(() => shield(() => sleep(5))));
        });
        await checkpoint();
      });
      expect([task?.state, now()]).toEqual(["cancelled", 5]);
    });
  });

  test("also behind a shield: what it is in is gone", async () => {
    await simulate(async () => {
      await new CancelScope().run(() => {
        void shield(() => sleepForever()).catch(() => {});
      });
      expect(now()).toBe(0);
    });
  });

  test("that starts another one while it ends: that is ended, too", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await new CancelScope().run((outer) => {
        void new CancelScope().run(async () => {
          await sleepForever().catch(() => {});
          void new CancelScope().run(() => sleepForever().finally(() => log.push("the other one")), outer).catch(() => {});
        });
      });
      expect(log).toEqual(["the other one"]);
    });
  });

  test("a start() that nobody awaited is ended with its caller", async () => {
    await simulate(async (nursery) => {
      let ended = false;
      await new CancelScope().run(() => {
        void nursery
          .start(() =>
            sleepForever().finally(() => {
              ended = true;
            }),
          )
          .catch(() => {});
      });
      expect(ended).toBe(true);
    });
  });
});

describe("what floating code does later in a scope that has ended throws a ScopeEndedError:", () => {
  const message =
    "the scope root > short has ended: something in it was not awaited and went on after its end. Await what you start, or start it in a nursery that lives long enough.";

  async function later(call: (scope: CancelScope) => unknown): Promise<unknown> {
    return simulate(async () => {
      const scope = new CancelScope({ name: "short" });
      let floating: Promise<unknown> | undefined;
      await scope.run(() => {
        // A promise of the platform is beyond our reach.
        floating = new Promise((resolve) => setTimeout(resolve, 5)).then(() => call(scope));
      });
      return rejectionOf(floating as Promise<unknown>);
    });
  }

  const calls: [name: string, call: (scope: CancelScope) => unknown][] = [
    ["sleep()", () => sleep(1)],
    ["checkpoint()", () => checkpoint()],
    ["park()", () => park(() => {})],
    ["throwIfCancelled()", (scope) => scope.throwIfCancelled()],
  ];
  for (const [name, call] of calls) {
    test(name, async () => expect(await later(call)).toEqual(new ScopeEndedError(message, "root > short")));
  }

  const entering =
    "the scope root > short has ended: a scope was to be entered in it. Await what you start, or start it in a nursery that lives long enough.";
  for (const [name, call] of [
    ["openNursery()", () => openNursery(() => {})],
    ["scope.run()", () => new CancelScope().run(() => {})],
    ["shield()", () => shield(() => {})],
  ] as [string, () => unknown][]) {
    test(name, async () => expect(await later(call)).toEqual(new ScopeEndedError(entering, "root > short")));
  }

  test("also if the scope was cancelled: it has ended, which is worse", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(() => scope.cancel());
      expect(await rejectionOf(sleep(1, scope))).toBeInstanceOf(ScopeEndedError);
    });
  });

  test("a nursery whose root has ended, too", async () => {
    let nursery: Nursery | undefined;
    await simulate((own) => {
      nursery = own;
    });
    expect(await rejectionOf(sleep(1, nursery))).toBeInstanceOf(ScopeEndedError);
  });

  test("in development mode it says where the scope was made", async () => {
    const error = await rejectionAs(
      ScopeEndedError,
      simulate(
        async () => {
          const scope = new CancelScope();
          await scope.run(() => {});
          await sleep(1, scope);
        },
        { debug: true },
      ),
    );
    expect(error.message).toMatch(/ It was started .*floating\.test\.ts:\d+/);
  });
});
