import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CancelKind, Cancelled, CancelScope, run, sleepForever } from "../../src/index.js";
import { cancellation } from "../../src/kernel/cancelled.js";
import { simulate } from "../support/simulate.js";
import { foreignCancelled, reasonOf, rejectionOf } from "./support.js";

const error = new Error("boom");

test("its message says it all in one line", () => {
  const texts: [kind: CancelKind, cause: unknown, message: string][] = [
    ["cancel", undefined, "cancelled: cancel() was called on root > http"],
    ["cancel", "enough", 'cancelled: cancel() was called on root > http: "enough"'],
    ["cancel", error, "cancelled: cancel() was called on root > http: Error: boom"],
    ["cancel", null, "cancelled: cancel() was called on root > http: null"],
    ["cancel", { code: 1 }, "cancelled: cancel() was called on root > http: an object"],
    ["deadline", undefined, "cancelled: the deadline of root > http passed"],
    ["failure", error, "cancelled: something in root > http failed: Error: boom"],
    ["failure", undefined, "cancelled: something in root > http failed"],
    ["shutdown", "why", 'cancelled: what root > http belongs to has ended: "why"'],
    ["signal", error, "cancelled: the signal given to root > http was aborted: Error: boom"],
  ];
  for (const [kind, cause, message] of texts) expect(cancellation(kind, "root > http", cause, undefined).message).toBe(message);
});

describe("it is an AbortError, so that the ecosystem neither logs nor retries it:", () => {
  test("by name, by its legacy code, as a DOMException and as an Error", async () => {
    const cancelled = await foreignCancelled();
    expect(cancelled.name).toBe("AbortError");
    expect(cancelled.code).toBe(DOMException.ABORT_ERR);
    for (const type of [Cancelled, DOMException, Error]) expect(cancelled).toBeInstanceOf(type);
  });

  test("as text", async () => {
    expect(String(await foreignCancelled())).toBe('AbortError: cancelled: cancel() was called on root > elsewhere: "elsewhere"');
  });

  test("as inspect() shows it: its message, its kind and its scope, nothing of the kernel", async () => {
    const text = inspect(await foreignCancelled());
    expect(text).toContain('cancelled: cancel() was called on root > elsewhere: "elsewhere"');
    expect(text).toContain("kind: 'cancel'");
    expect(text).toContain("scope: 'root > elsewhere'");
    expect(text).not.toMatch(/_tree|_site|runtime/);
  });
});

describe("it is extensible:", () => {
  test("properties can be added, and its stack overwritten, as Node's fetch does", async () => {
    const cancelled = await foreignCancelled();
    expect(Object.isExtensible(cancelled)).toBe(true);
    Error.captureStackTrace(cancelled);
    Object.assign(cancelled, { requestId: 17 });
    expect(cancelled).toHaveProperty("requestId", 17);
  });

  test("its enumerable properties are kind and scope", async () => {
    expect(Object.keys(await foreignCancelled())).toEqual(["kind", "scope"]);
  });

  test("its cause is where errors have theirs: own, and not enumerable", async () => {
    expect(Object.getOwnPropertyDescriptor(await foreignCancelled(), "cause")).toEqual({
      value: "elsewhere",
      enumerable: false,
      configurable: true,
      writable: true,
    });
  });
});

describe("its site", () => {
  test("is the stack of the call of cancel(), apart from its own stack", async () => {
    const cancelled = await foreignCancelled();
    expect(cancelled.site).toMatch(/^ +at .*\n.*support\.ts/);
    expect(cancelled.site?.split("\n")[0]).not.toMatch(/^Error/);
    Error.captureStackTrace(cancelled);
    expect(cancelled.site).toContain("support.ts");
  });

  test("is undefined for every other kind", () => {
    for (const kind of ["deadline", "failure", "shutdown", "signal"] as const) {
      expect(cancellation(kind, "root", undefined, undefined).site).toBe(undefined);
    }
  });

  test("the stack itself is not captured, which would be that of the kernel: it is the message alone", async () => {
    const limit = Error.stackTraceLimit;
    const cancelled = await foreignCancelled();
    expect(cancelled.stack).toBe(`AbortError: ${cancelled.message}`);
    expect(Error.stackTraceLimit).toBe(limit);
  });

  test("also where the limit of stacks cannot be set, as with frozen intrinsics", () => {
    const descriptor = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit") as PropertyDescriptor;
    Object.defineProperty(Error, "stackTraceLimit", { value: 10, writable: false, configurable: true });
    try {
      expect(cancellation("cancel", "root", undefined, undefined).kind).toBe("cancel");
    } finally {
      Object.defineProperty(Error, "stackTraceLimit", descriptor);
    }
  });
});

describe("its scope is the path of what was cancelled:", () => {
  async function pathOf(names: readonly (string | undefined)[]): Promise<string> {
    let path = "";
    const descend = (i: number): Promise<unknown> | unknown => {
      if (i < names.length) {
        const name = names[i];
        return new CancelScope(name === undefined ? {} : { name }).run((scope) => {
          if (i < names.length - 1) return descend(i + 1);
          scope.cancel();
          path = reasonOf(scope).scope;
          return undefined;
        });
      }
      return undefined;
    };
    await simulate(() => descend(0));
    return path;
  }

  test("nurseries, tasks and named scopes, from outside to inside", async () => {
    expect(await pathOf(["http", "request"])).toBe("root > http > request");
  });

  test("scopes without a name only as the last", async () => {
    expect(await pathOf(["http", undefined, "request", undefined])).toBe("root > http > request > scope");
  });

  test("the innermost eight", async () => {
    expect(await pathOf(["a", "b", "c", "d", "e", "f", "g"])).toBe("root > a > b > c > d > e > f > g");
    expect(await pathOf(["a", "b", "c", "d", "e", "f", "g", "h"])).toBe("… > a > b > c > d > e > f > g > h");
    expect(await pathOf(["x", "a", "b", "c", "d", "e", "f", "g", undefined])).toBe("… > a > b > c > d > e > f > g > scope");
  });

  test("a task with its name and number, the main task not at all", async () => {
    const paths = await simulate(async (nursery) => {
      const work = async (task: CancelScope) => {
        task.cancel();
        return reasonOf(task).scope;
      };
      const tasks = [
        nursery.startSoon(work),
        nursery.startSoon((task) => work(task)),
        nursery.startSoon(work, { name: "my name" }),
        nursery.startSoon(work),
      ];
      nursery.startSoon(() => sleepForever(), { background: true });
      return Promise.all(tasks.map((task) => task.join()));
    });
    expect(paths).toEqual(["root > work#1", "root > task#2", "root > my name", "root > work#3"]);
  });
});

describe("it works as the reason of an abort:", () => {
  const server = http.createServer(() => {});
  let url = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("fetch rejects with the very object, before and while it waits", async () => {
    await run(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const waiting = rejectionOf(fetch(url, scope));
        await new Promise((resolve) => setTimeout(resolve, 20));
        scope.cancel();
        expect(await waiting).toBe(scope.signal.reason);
        expect(await rejectionOf(fetch(url, scope))).toBe(scope.signal.reason);
      });
    });
  });
});
