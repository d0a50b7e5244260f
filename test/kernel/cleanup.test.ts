import { describe, expect, test } from "vitest";
import { CancelScope, now, openNursery, sleep, sleepForever, TimeoutError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

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
