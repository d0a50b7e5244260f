import { readFile } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  type Done,
  fromCallback,
  moveOnAfter,
  now,
  OperationAborted,
  run,
  type Settle,
  shield,
  sleep,
  UsageError,
} from "../../src/index.js";
import { reasonOf, rejectionAs, rejectionOf } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { hostileErrors } from "./support.js";

const boom = new Error("boom");

interface Captured<T> {
  readonly done: Done<T>;
  readonly wait: Promise<T>;
}

/** A callback, to be called by hand. */
function captured<T>(
  more: { readonly cancel?: () => unknown; readonly onLate?: (value: T) => unknown; readonly settle?: Settle } = {},
): Captured<T> {
  const { cancel, ...options } = more;
  let done: Done<T> | undefined;
  const wait = fromCallback<T>((own) => {
    done = own;
    return cancel;
  }, options);
  return { done: done as Done<T>, wait };
}

describe("the callback", () => {
  test("of a real API", async () => {
    const path = fileURLToPath(import.meta.url);
    await run(async () => {
      expect(await fromCallback<string>((done) => readFile(path, "utf8", done))).toContain("of a real API");
      expect(await rejectionOf(fromCallback<string>((done) => readFile(`${path}.missing`, "utf8", done)))).toMatchObject({
        code: "ENOENT",
      });
    });
  });

  test("ends the wait with its second argument, or with its first one if that is truthy, as Node's promisify", async () => {
    await simulate(async () => {
      for (const none of [undefined, null, false, 0, ""]) {
        const { done, wait } = captured<string>();
        done(none, "value");
        expect(await wait).toBe("value");
      }
      const { done, wait } = captured<string>();
      done(boom, "not this");
      expect(await rejectionOf(wait)).toBe(boom);
    });
  });

  test("for other conventions it has the two apart; any value may be an error there", async () => {
    await simulate(async () => {
      const one = captured<string>();
      const { resolve } = one.done;
      resolve("value");
      expect(await one.wait).toBe("value");
      for (const error of [boom, undefined, null, 0, ...hostileErrors()]) {
        const { done, wait } = captured<string>();
        const { reject } = done;
        reject(error);
        // It is not passed through a promise as a value, which would look at its `then`.
        expect(await wait.then(String, (caught) => Object.is(caught, error))).toBe(true);
      }
    });
  });

  test("may be called synchronously", async () => {
    await simulate(async () => {
      expect(await fromCallback<string>((done) => done(null, "value"))).toBe("value");
      expect(await rejectionOf(fromCallback((done) => done(boom)))).toBe(boom);
    });
  });

  test("counts once; a later value is late, a later error is dropped", async () => {
    await simulate(async () => {
      const late: string[] = [];
      const { done, wait } = captured<string>({ onLate: (value) => late.push(value) });
      done(null, "first");
      done(boom);
      done(null, "second");
      expect(await wait).toBe("first");
      done(null, "third");
      expect(late).toEqual(["second", "third"]);
    });
  });

  test("that is called twice with the same object does not dispose what is in use", async () => {
    await simulate(async () => {
      let isDisposed = false;
      const resource = {
        [Symbol.dispose]: () => {
          isDisposed = true;
        },
      };
      const { done, wait } = captured<Disposable>();
      done(null, resource);
      done(null, resource);
      expect(await wait).toBe(resource);
      expect(isDisposed).toBe(false);
    });
  });

  test("that is called twice with the same object when nobody waits any more hands it over once", async () => {
    const late: unknown[] = [];
    await simulate(async () => {
      const [one, other] = [{}, {}];
      await new CancelScope().run(async (scope) => {
        const { done, wait } = captured<object>({ settle: "now", onLate: (value) => late.push(value) });
        scope.cancel();
        for (const value of [one, one, other]) done(null, value);
        await wait;
      });
      expect(late[0]).toBe(one);
      expect(late).toHaveLength(2);
    });
  });

  test("that is called with an error first, and with a value then, has that value disposed", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const { done, wait } = captured<Disposable>();
      done(boom);
      done(null, { [Symbol.dispose]: () => void log.push("disposed") });
      expect(await rejectionOf(wait)).toBe(boom);
      expect(log).toEqual(["disposed"]);
    });
  });
});

describe("a start", () => {
  test("that throws is a failure", async () => {
    await simulate(async () => {
      const failing = fromCallback(() => {
        throw boom;
      });
      expect(await rejectionOf(failing)).toBe(boom);
    });
  });

  test("that throws after it has called back has called back; what it threw is reported to the process", async () => {
    const { uncaught } = await watchProcess(() =>
      simulate(async () => {
        const wait = fromCallback<string>((done) => {
          done(null, "value");
          throw boom;
        });
        expect(await wait).toBe("value");
      }),
    );
    expect(uncaught).toEqual([boom]);
  });

  test("that is an async function, and fails, will never call back: it is a failure", async () => {
    await simulate(async () => {
      const start = async () => {
        throw boom;
      };
      expect(await rejectionOf(fromCallback(start as unknown as () => void))).toBe(boom);
      const fine = async (done: Done<string>) => done(null, "value");
      expect(await fromCallback<string>(fine as unknown as (done: Done<string>) => void)).toBe("value");
    });
  });

  test("that is an async function, and fails after it has called back, is told as one that throws then", async () => {
    const { uncaught, unhandled } = await watchProcess(() =>
      simulate(async () => {
        const start = async (done: Done<string>) => {
          done(null, "value");
          await undefined;
          throw boom;
        };
        expect(await fromCallback<string>(start as unknown as (done: Done<string>) => void)).toBe("value");
        // One that was given up has settled with that.
        const later = async () => {
          await shield(() => sleep(5));
          throw boom;
        };
        await moveOnAfter(1, (scope) => fromCallback(later as unknown as () => void, { settle: "now" }, scope));
        await sleep(10);
      }),
    );
    expect([uncaught, unhandled]).toEqual([[boom], []]);
  });

  test("is called off once, also where nobody awaits it and its scope is left", async () => {
    await simulate(async (root) => {
      let calls = 0;
      const waiting = await new CancelScope().run((scope) => {
        const promise = fromCallback<string>((done) => {
          root.startSoon(() => sleep(5).then(() => done(null, "value")));
          return () => {
            calls++;
            return false;
          };
        });
        scope.cancel();
        return { promise };
      });
      expect([await waiting?.promise, calls]).toEqual(["value", 1]);
    });
  });

  test("is not called in a cancelled scope", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.cancel();
        let isCalled = false;
        const refused = fromCallback(() => {
          isCalled = true;
        });
        expect(await rejectionOf(refused)).toBe(reasonOf(scope));
        expect(isCalled).toBe(false);
      }),
    );
  });

  test("that is cancelled meanwhile calls off what it has started, unless that has called back", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const run = (callsBack: boolean) =>
        new CancelScope().run((scope) =>
          fromCallback<string>((done) => {
            scope.cancel();
            if (callsBack) done(null, "value");
            return () => log.push("called off");
          }),
        );
      expect([await run(false), await run(true)]).toEqual([undefined, "value"]);
      expect(log).toEqual(["called off"]);
    });
  });

  test("may return anything else than a function: it means nothing", async () => {
    await simulate(async () => {
      const wait = fromCallback<string>(((done: Done<string>) => done(null, "value") ?? 5) as never);
      expect(await wait).toBe("value");
    });
  });
});

describe("cancelled", () => {
  test("with a way to call it off: that is called, and the wait is over, for the operation is", async () => {
    await simulate(async (root) => {
      const log: string[] = [];
      const late: string[] = [];
      await new CancelScope().run(async (scope) => {
        const { done, wait } = captured<string>({ cancel: () => log.push("called off"), onLate: (value) => late.push(value) });
        scope.cancel();
        expect(log).toEqual(["called off"]);
        expect(await rejectionOf(wait)).toBe(reasonOf(scope));
        expect(root.abandoned).toBe(0);
        done(null, "late");
        done(boom);
      });
      expect(late).toEqual(["late"]);
    });
  });

  test("with one that calls back at once, with an error: that is kept in the cancellation; with a value: it has succeeded", async () => {
    await simulate(async () => {
      await new CancelScope().run(async (scope) => {
        const failing: Captured<string> = captured({ cancel: () => failing.done(boom) });
        const succeeding: Captured<string> = captured({ cancel: () => succeeding.done(null, "value") });
        scope.cancel();
        const error = await rejectionAs(OperationAborted, failing.wait);
        expect([error.original, error.cause]).toEqual([boom, reasonOf(scope)]);
        expect(await succeeding.wait).toBe("value");
      });
    });
  });

  test("with one that calls back several times while it calls off: the first counts, the others are late", async () => {
    await simulate(async () => {
      const late: string[] = [];
      await new CancelScope().run(async (scope) => {
        const { done, wait } = captured<string>({
          cancel: () => {
            done(null, "first");
            done(null, "second");
            done(boom);
          },
          onLate: (value) => late.push(value),
        });
        scope.cancel();
        expect(await wait).toBe("first");
      });
      expect(late).toEqual(["second"]);
    });
  });

  test("with one that throws after it has called back: that is a failure, and the value is late", async () => {
    await simulate(async () => {
      const disposed: string[] = [];
      const value = { [Symbol.dispose]: () => void disposed.push("value") };
      const failing = new CancelScope().run(async (scope) => {
        const { done, wait } = captured<Disposable>({
          cancel: () => {
            done(null, value);
            throw boom;
          },
        });
        scope.cancel();
        await wait;
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect(disposed).toEqual(["value"]);
    });
  });

  test("with one that says that it cannot be called off: the wait goes on", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 1 });
      await scope.run(async () => {
        const { done, wait } = captured<string>({ cancel: () => false });
        await sleep(2).catch(() => {});
        done(null, "value");
        expect(await wait).toBe("value");
      });
    });
  });

  test('with settle: "wait", it is called off, and waited for', async () => {
    await simulate(async (root) => {
      const cancel = () => void root.startSoon(() => sleep(5).then(() => operation.done(boom)));
      let operation = captured<string>();
      operation.done(null, "");
      const scope = new CancelScope({ timeout: 1 });
      await scope.run(() => {
        operation = captured<string>({ cancel, settle: "wait" });
        return operation.wait;
      });
      expect([now(), scope.cancelledCaught]).toEqual([6, true]);
    });
  });

  test("without a way to call it off: the wait goes on, because the operation does", async () => {
    await simulate(async (root) => {
      let done: Done<string> | undefined;
      root.startSoon(() => sleep(5).then(() => done?.(null, "value")));
      const value = await moveOnAfter(1, () =>
        fromCallback<string>((own) => {
          done = own;
        }),
      );
      expect([value, now()]).toEqual(["value", 5]);
    });
  });

  test('without one, and with settle: "now": it is left behind, and counted until it calls back', async () => {
    await simulate(async (root) => {
      const late: string[] = [];
      let done: Done<string> | undefined;
      const start = (own: Done<string>) => {
        done = own;
      };
      await moveOnAfter(1, () => fromCallback(start, { settle: "now", onLate: (value) => late.push(value) }));
      expect([now(), root.abandoned]).toEqual([1, 1]);
      done?.(null, "value");
      expect([late, root.abandoned]).toEqual([["value"], 0]);
      done?.(null, "again");
      expect(root.abandoned).toBe(0);
    });
  });
});

test("left floating, it is called off when its scope is left; without a way, it is waited for", async () => {
  await simulate(async (root) => {
    const log: string[] = [];
    await new CancelScope().run(() => {
      void captured({ cancel: () => log.push("called off") }).wait;
    });
    expect([log, now()]).toEqual([["called off"], 0]);
    await new CancelScope().run(() => {
      const { done } = captured<void>();
      root.startSoon(() => sleep(5).then(() => done(null)));
    });
    expect(now()).toBe(5);
  });
});

test("nothing that comes later can touch what the wait has ended with", async () => {
  await simulate(async () => {
    const { done, wait } = captured<string>();
    done(null, "value");
    done.reject(boom);
    done.resolve("other");
    await checkpoint();
    expect(await wait).toBe("value");
  });
});

test("misuse is a clear error", async () => {
  await simulate(async () => {
    const error = await rejectionAs(UsageError, fromCallback("x" as unknown as () => void));
    expect(error.message).toBe('fromCallback() takes a function, not "x"');
    const options = await rejectionAs(
      UsageError,
      fromCallback(() => {}, { settle: "later" as Settle }),
    );
    expect(options.message).toBe('`settle` of fromCallback() is "wait" or "now", not "later"');
  });
});
