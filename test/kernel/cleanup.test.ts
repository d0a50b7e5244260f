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
  type Task,
  TaskCancelledError,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";
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

describe("cleanupTimeout", () => {
  const slow = (scope: CancelScope) => scope.defer(() => sleepForever());
  const message = "the cleanups of root > scope took longer than its cleanupTimeout of 10 ms";

  test("is how long the cleanups of a scope may take together: then they are cancelled, which is an error", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const failing = new CancelScope({ cleanupTimeout: 10 }).run((scope) => {
        scope.defer(() => log.push("the next one runs, up to its first checkpoint"));
        scope.defer(() => sleepForever());
        scope.defer(() => sleep(6));
      });
      const error = await rejectionAs(TimeoutError, failing);
      expect([error.message, error.scope, now()]).toEqual([message, "root > scope", 10]);
      expect(log).toHaveLength(1);
    });
  });

  test("is inherited, from the nearest that has one; without any there is no limit", async () => {
    await simulate(
      async () => {
        expect(await rejectionOf(new CancelScope().run(slow))).toEqual(new TimeoutError(message, "root > scope"));
        await new CancelScope({ cleanupTimeout: 5 }).run(async () => {
          const before = now();
          expect(await rejectionOf(openNursery((nursery) => slow(nursery)))).toBeInstanceOf(TimeoutError);
          expect(now()).toBe(before + 5);
        });
      },
      { cleanupTimeout: 10 },
    );
    await simulate(async () => {
      await new CancelScope().run((scope) => scope.defer(() => sleep(1e9)));
      expect(now()).toBe(1e9);
    });
  });

  test("a cleanup that is cut off, but has nothing more to wait for, is no error", async () => {
    await simulate(() => new CancelScope({ cleanupTimeout: 10 }).run((scope) => scope.defer(() => sleepForever().catch(() => {}))));
  });
});

describe("use()", () => {
  test("has the resource disposed, asynchronously where it can be, and returns it", async () => {
    const log: string[] = [];
    const sync = { [Symbol.dispose]: () => void log.push("sync") };
    const later = { [Symbol.asyncDispose]: () => sleep(1).then(() => void log.push("async")) };
    const both = {
      [Symbol.dispose]: () => void log.push("the wrong one"),
      [Symbol.asyncDispose]: async () => void log.push("both"),
    };
    await simulate(() =>
      new CancelScope().run((scope) => {
        expect(scope.use(sync)).toBe(sync);
        expect(scope.use(later)).toBe(later);
        expect(scope.use(both)).toBe(both);
      }),
    );
    expect(log).toEqual(["both", "async", "sync"]);
  });

  test("calls it as a method, and looks for it at once", async () => {
    class Connection {
      isOpen = true;
      [Symbol.dispose](): void {
        this.isOpen = false;
      }
    }
    const connection = new Connection();
    await simulate(() =>
      new CancelScope().run((scope) => {
        const used = scope.use(connection) as Partial<Connection>;
        Object.defineProperty(used, Symbol.dispose, { value: undefined });
      }),
    );
    expect(connection.isOpen).toBe(false);
  });

  test("takes a function that is disposable", async () => {
    let isDisposed = false;
    const stop = Object.assign(() => {}, {
      [Symbol.dispose]: () => {
        isDisposed = true;
      },
    });
    await simulate(() => new CancelScope().run((scope) => void scope.use(stop)));
    expect(isDisposed).toBe(true);
  });

  test("of something that is not disposable is an error that names the alternative", async () => {
    const error = new TypeError(
      "scope.use() takes an object with Symbol.asyncDispose or Symbol.dispose; for anything else there is scope.defer()",
    );
    for (const wrong of [{}, null, undefined, 1, { [Symbol.dispose]: 1 }]) {
      expect(thrownBy(() => new CancelScope().use(wrong as never))).toEqual(error);
    }
  });
});

describe("a result that is disposable, and that nobody received,", () => {
  function connection(log: string[], name = "closed"): Disposable {
    return { [Symbol.dispose]: () => void log.push(name) };
  }

  test("is disposed if its nursery was cancelled, the last first, before the cleanups", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery(async (nursery) => {
        nursery.defer(() => log.push("cleanup"));
        nursery.startSoon(() => connection(log, "first"));
        nursery.startSoon(() => connection(log, "second"));
        await sleep(1);
        nursery.cancel();
      }),
    );
    expect(log).toEqual(["second", "first", "cleanup"]);
  });

  test("asynchronously, if it can be", async () => {
    await simulate(async () => {
      await openNursery(async (nursery) => {
        nursery.startSoon(() => ({ [Symbol.asyncDispose]: () => sleep(5) }));
        await checkpoint();
        nursery.cancel();
      });
      expect(now()).toBe(5);
    });
  });

  test("is not, if its nursery was not cancelled", async () => {
    const log: string[] = [];
    await simulate(() => openNursery((nursery) => void nursery.startSoon(() => connection(log))));
    expect(log).toEqual([]);
  });

  test("is not, if somebody joined the task, before or after its end", async () => {
    const log: string[] = [];
    await simulate(() =>
      openNursery(async (nursery) => {
        await nursery.startSoon(() => connection(log)).join();
        const task = nursery.startSoon(() => connection(log));
        await sleep(1);
        await task.join();
        nursery.cancel();
      }),
    );
    expect(log).toEqual([]);
  });

  test("cannot be joined any more", async () => {
    const log: string[] = [];
    await simulate(async () => {
      let task: Task<Disposable> | undefined;
      await openNursery(async (nursery) => {
        task = nursery.startSoon(() => connection(log));
        await checkpoint();
        nursery.cancel();
      });
      const error = await rejectionAs(TaskCancelledError, (task as Task).join());
      expect(error.message).toBe(
        "the task root > nursery > task#1 has ended, and its result was disposed, because its nursery was cancelled, so it has no result to join",
      );
    });
  });

  test("of which the disposal fails is an error of the nursery", async () => {
    const failing = simulate(() =>
      openNursery(async (nursery) => {
        nursery.startSoon(() => ({ [Symbol.asyncDispose]: () => Promise.reject(boom) }));
        await checkpoint();
        nursery.cancel();
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
  });

  test("is left alone if it cannot even be asked whether it is disposable", async () => {
    const hostile = new Proxy(
      {},
      {
        has() {
          throw boom;
        },
      },
    );
    await simulate(() =>
      openNursery(async (nursery) => {
        nursery.startSoon(() => hostile);
        await checkpoint();
        nursery.cancel();
      }),
    );
  });

  test("is disposed when a failure elsewhere has cancelled the nursery", async () => {
    const log: string[] = [];
    const failing = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(() => connection(log));
        nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)));
      }),
    );
    expect(await rejectionOf(failing)).toBe(boom);
    expect(log).toEqual(["closed"]);
  });
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
