import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  ErrorGroup,
  leaves,
  moveOnAfter,
  now,
  openNursery,
  park,
  run,
  ScopeEndedError,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

const boom = new Error("boom");

describe("defer()", () => {
  test("runs when the scope is left, the last registered first, each after the one before has ended", async () => {
    const log: string[] = [];
    await simulate(() =>
      new CancelScope().run((scope) => {
        for (const name of ["a", "b", "c"]) {
          scope.defer(async () => {
            log.push(`${name} begins`);
            await sleep(1);
            log.push(`${name} ends`);
          });
        }
        log.push("body");
      }),
    );
    expect(log).toEqual(["body", "c begins", "c ends", "b begins", "b ends", "a begins", "a ends"]);
  });

  test("runs after the tasks of a nursery have ended, and after those of a task", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery((nursery) => {
        nursery.defer(() => log.push("nursery"));
        nursery.startSoon(async (task) => {
          task.defer(() => log.push("task"));
          await sleep(5);
          log.push("work");
        });
      }),
    );
    expect(log).toEqual(["work", "task", "nursery"]);
  });

  test("runs shielded, in a scope of its own that it is passed, also if everything around it is cancelled", async () => {
    const log: unknown[] = [];
    await simulate(() =>
      moveOnAfter(5, async () => {
        await new CancelScope().run(async (scope) => {
          scope.defer(async (own) => {
            await sleep(10, own);
            log.push(own.shield, own.name, now());
          });
          await sleepForever();
        });
      }),
    );
    expect(log).toEqual([true, "cleanup", 15]);
  });

  test("runs however the body ends", async () => {
    const endings: [body: (scope: CancelScope) => unknown][] = [
      [() => "value"],
      [() => Promise.reject(boom)],
      [
        (scope) => {
          scope.cancel();
          return checkpoint();
        },
      ],
    ];
    for (const [body] of endings) {
      let runs = 0;
      await simulate(() =>
        new CancelScope().run((scope) => {
          scope.defer(() => {
            runs++;
          });
          return body(scope);
        }),
      ).catch(() => {});
      expect(runs).toBe(1);
    }
  });

  test("may register another one, which runs next", async () => {
    const log: string[] = [];
    await simulate(() =>
      new CancelScope().run((scope) => {
        scope.defer(() => log.push("first registered"));
        scope.defer(() => {
          log.push("second");
          scope.defer(() => log.push("registered while cleaning up"));
        });
      }),
    );
    expect(log).toEqual(["second", "registered while cleaning up", "first registered"]);
  });

  test("may start tasks in a nursery that it cleans up: they are waited for, before the next cleanup", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery((nursery) => {
        nursery.defer(() => log.push("last"));
        nursery.defer(() => {
          nursery.startSoon(() => sleep(5).then(() => log.push("task")));
        });
      }),
    );
    expect(log).toEqual(["task", "last"]);
  });

  test("before the entry counts, too", async () => {
    let runs = 0;
    const scope = new CancelScope();
    scope.defer(() => {
      runs++;
    });
    await simulate(() => scope.run(() => {}));
    expect(runs).toBe(1);
  });

  test("after the end is an error: the cleanup would not run", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      expect(thrownBy(() => scope.defer(() => {}))).toEqual(
        new ScopeEndedError(
          "the scope root > scope has ended: defer() came too late, its cleanup will not run. Await what you start, or start it in a nursery that lives long enough.",
          "root > scope",
        ),
      );
    });
  });

  test("what is thrown joins the errors of the scope, after that of the body, and the other cleanups still run", async () => {
    const errors = [1, 2, 3].map((n) => new Error(`cleanup ${n}`));
    const failing = simulate(() =>
      new CancelScope().run((scope) => {
        for (const error of errors) scope.defer(() => Promise.reject(error));
        throw boom;
      }),
    );
    expect((await rejectionAs(ErrorGroup, failing)).errors).toEqual([boom, ...[...errors].reverse()]);
  });

  test("a single failure comes as it is, and wins over a cancellation", async () => {
    const scope = new CancelScope();
    const failing = simulate(() =>
      scope.run(async () => {
        scope.defer(() => Promise.reject(boom));
        scope.cancel();
        await checkpoint();
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
    expect(scope.cancelledCaught).toBe(false);
  });

  test("one that throws the cancellation of the scope, as a cleanup may whose operations take the outer scope, is no failure", async () => {
    const scope = new CancelScope();
    await simulate(() =>
      scope.run(async () => {
        scope.defer(() => checkpoint(scope));
        scope.cancel();
      }),
    );
    expect(scope.cancelCalled).toBe(true);
  });

  test("of a task: its failure is that of the task, and the task is joined after it", async () => {
    const failing = simulate(() =>
      openNursery(async (nursery) => {
        const task = nursery.startSoon((own) => {
          own.defer(() => sleep(5).then(() => Promise.reject(boom)));
          return "value";
        });
        expect(await shield(() => rejectionOf(task.join()))).toBe(boom);
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
  });

  test("of a task that has failed: both errors are told, that of the task first", async () => {
    const other = new Error("other");
    const failing = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon((own) => {
          own.defer(() => Promise.reject(other));
          throw boom;
        });
      }),
    );
    expect(await rejectionAs(ErrorGroup, failing)).toMatchObject({
      errors: [boom, other],
      message: "2 errors in root > nursery > task#1 (Error: boom; Error: other)",
    });
  });

  test("R3: registered while a task that has failed is left, by what floats in it: both errors are told", async () => {
    const other = new Error("other");
    const failing = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon((own) => {
          void park(() => () => own.defer(() => Promise.reject(other)));
          throw boom;
        });
      }),
    );
    expect(leaves(await rejectionOf(failing))).toEqual([boom, other]);
  });

  test("whatever was registered runs exactly once, in reverse, whatever fails and is cancelled", async () => {
    const plan = fc.array(fc.constantFrom("ok", "fails", "waits"), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(plan, fc.boolean(), fc.boolean(), async (list, isCancelled, fails) => {
        const log: number[] = [];
        const error = await simulate(() =>
          new CancelScope().run(async (scope) => {
            list.forEach((what, i) => {
              scope.defer(async () => {
                log.push(i);
                if (what === "waits") await sleep(1);
                if (what === "fails") throw new Error(`${i}`);
              });
            });
            if (isCancelled) scope.cancel();
            if (fails) throw boom;
            await checkpoint();
          }),
        ).catch((thrown) => thrown);
        expect(log).toEqual(list.map((_, i) => i).reverse());
        const failures = list.filter((what) => what === "fails").length + (fails ? 1 : 0);
        const told = error instanceof ErrorGroup ? error.errors.length : error === undefined ? 0 : 1;
        expect(told).toBe(failures);
      }),
    );
  });
});

test("a cleanup that cancels its own scope has not taken too long", async () => {
  await simulate(() =>
    new CancelScope().run((scope) => {
      scope.defer(async (own) => {
        own.cancel();
        await sleep(1);
      });
    }),
  );
});

test("cleanups run in real time, too, after the run was cut off", async () => {
  let cleaned = false;
  const controller = new AbortController();
  const promise = run(
    async (root) => {
      root.defer(async () => {
        await sleep(1);
        cleaned = true;
      });
      controller.abort();
      await sleepForever();
    },
    { signal: controller.signal },
  );
  await rejectionOf(promise);
  expect(cleaned).toBe(true);
});
