import { describe, expect, test } from "vitest";
import { CancelScope, run } from "../../src/index.js";
import { foreignCancelled } from "./support.js";

/** What real packages reject with when the signal they were given aborts, as plain errors of the same shape. */
interface Shape {
  readonly from: string;
  readonly error: (signal: AbortSignal) => unknown;
  /** `linked`: by identity or along `cause`. `assumed`: by its shape. `failure`: nothing tells it, so it needs a bridge (`cancellable`). */
  readonly verdict: "linked" | "assumed" | "failure";
}

/** An error as its own keys show it; `type` is the name of its class, where that matters. */
function shaped(message: string, keys: object, type?: string): Error {
  const Type = type === undefined ? Error : { [type]: class extends Error {} }[type];
  const error = new (Type ?? Error)(message);
  for (const [key, value] of Object.entries(keys)) {
    const enumerable = key !== "cause" && key !== "name";
    Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  }
  return error;
}

const abortError = (cause?: unknown): Error => shaped("The operation was aborted", { name: "AbortError", code: "ABORT_ERR", cause });
const fetchAbort = shaped("The user aborted a request.", { name: "AbortError", type: "aborted" }, "AbortError");

const shapes: Shape[] = [
  // The reason itself.
  {
    from: "fetch, undici, ky, web streams, p-queue, p-timeout, p-retry (backoff), graphql-request",
    error: (s) => s.reason,
    verdict: "linked",
  },
  // An error with the reason as its cause.
  { from: "Node's own APIs", error: (s) => abortError(s.reason), verdict: "linked" },
  { from: "ws, while upgrading", error: (s) => abortError(s.reason), verdict: "linked" },
  {
    from: "got 16",
    error: (s) =>
      shaped("This operation was aborted.", { name: "AbortError", code: "ERR_ABORTED", cause: s.reason, options: {} }, "AbortError"),
    verdict: "linked",
  },
  {
    from: "openai 7",
    error: (s) => shaped("Request was aborted.", { status: undefined, cause: s.reason }, "APIUserAbortError"),
    verdict: "linked",
  },
  {
    from: "execa",
    error: (s) =>
      shaped("Command was canceled: sleep 60", { name: "ExecaError", cause: s.reason, failed: true, isCanceled: true }, "ExecaError"),
    verdict: "linked",
  },
  {
    from: "playwright-core",
    error: (s) => shaped("page.goto: aborted", { name: "AbortError", cause: s.reason }, "AbortError"),
    verdict: "linked",
  },
  // No link: name or code.
  {
    from: "axios",
    error: (signal) =>
      shaped(
        "canceled",
        { name: "CanceledError", isAxiosError: true, code: "ERR_CANCELED", config: { signal }, request: {}, __CANCEL__: true },
        "CanceledError",
      ),
    verdict: "assumed",
  },
  { from: "axios, only its mark left", error: () => ({ message: "canceled", __CANCEL__: true }), verdict: "assumed" },
  { from: "axios, only its code left", error: () => shaped("canceled", { code: "ERR_CANCELED" }), verdict: "assumed" },
  {
    from: "got 14",
    error: () => shaped("This operation was aborted.", { cause: {}, name: "AbortError", code: "ERR_ABORTED", timings: {} }, "AbortError"),
    verdict: "assumed",
  },
  { from: "got 14, only its code left", error: () => shaped("aborted", { code: "ERR_ABORTED" }), verdict: "assumed" },
  { from: "node-fetch 3", error: () => fetchAbort, verdict: "assumed" },
  {
    from: "gaxios 7, whose name and code say nothing, but whose cause does",
    error: (signal) => shaped("aborted", { cause: fetchAbort, config: { signal }, response: undefined, code: undefined }, "GaxiosError"),
    verdict: "assumed",
  },
  {
    from: "gaxios 8",
    error: (signal) => shaped("aborted", { config: { signal }, code: "AbortError" }, "GaxiosError"),
    verdict: "assumed",
  },
  { from: "the AWS SDK, before the headers", error: () => shaped("Request aborted", { name: "AbortError" }), verdict: "assumed" },
  {
    from: "openai 6, which only its class tells",
    error: () => shaped("Request was aborted.", { status: undefined, headers: undefined, code: undefined }, "APIUserAbortError"),
    verdict: "assumed",
  },
  {
    from: "@anthropic-ai/sdk",
    error: () => shaped("Request was aborted.", { name: "APIUserAbortError", status: undefined }, "APIUserAbortError"),
    verdict: "assumed",
  },
  { from: "node-redis, which only its class tells", error: () => shaped("The command was aborted", {}, "AbortError"), verdict: "assumed" },
  { from: "execa, when its cause is lost", error: () => shaped("canceled", { name: "ExecaError", isCanceled: true }), verdict: "assumed" },
  {
    from: "undici.stream, aborted before it began",
    error: () => shaped("Request aborted", { name: "AbortError", code: "UND_ERR_ABORTED" }, "RequestAbortedError"),
    verdict: "assumed",
  },
  { from: "undici.stream, only its code left", error: () => shaped("Request aborted", { code: "UND_ERR_ABORTED" }), verdict: "assumed" },
  { from: "p-limit with rejectOnClear", error: () => new DOMException("cleared", "AbortError"), verdict: "assumed" },
  { from: "Deno's events.once", error: () => abortError(), verdict: "assumed" },
  { from: "Node, only its code left", error: () => shaped("aborted", { code: "ABORT_ERR" }), verdict: "assumed" },
  { from: "workerd's fetch, a copy of the reason", error: () => new DOMException("cancelled [S-42]", "AbortError"), verdict: "assumed" },
  // Named false negatives: reported although it is our cancellation.
  { from: "an http response body, and the AWS SDK's", error: () => shaped("aborted", { code: "ECONNRESET" }), verdict: "failure" },
  { from: "grpc-js, call.cancel()", error: () => shaped("1 CANCELLED: Cancelled on client", { code: 1 }), verdict: "failure" },
  {
    from: "pg, pg_cancel_backend()",
    error: () => shaped("canceling statement due to user request", { name: "error", code: "57014" }),
    verdict: "failure",
  },
  { from: "pg, its socket destroyed", error: () => new Error("Connection terminated unexpectedly"), verdict: "failure" },
  { from: "ioredis, disconnect()", error: () => new Error("Connection is closed."), verdict: "failure" },
  {
    from: "dns.Resolver, cancel()",
    error: () => shaped("queryA ECANCELLED", { code: "ECANCELLED", syscall: "queryA" }),
    verdict: "failure",
  },
  { from: "a stream cut short", error: () => shaped("Premature close", { code: "ERR_STREAM_PREMATURE_CLOSE" }), verdict: "failure" },
  {
    from: "workerd's fetch of old dates, a copy of a reason that was no DOMException",
    error: () => new Error("AbortError: scope cancelled"),
    verdict: "failure",
  },
  // Not aborts.
  {
    from: "axios, of a server error",
    error: () => shaped("Request failed with status code 500", { name: "AxiosError", code: "ERR_BAD_RESPONSE" }),
    verdict: "failure",
  },
  {
    from: "axios, too slow",
    error: () => shaped("timeout of 10ms exceeded", { name: "AxiosError", code: "ECONNABORTED" }),
    verdict: "failure",
  },
  {
    from: "got, too slow",
    error: () => shaped("Timeout awaiting 'request' for 10ms", { name: "TimeoutError", code: "ETIMEDOUT" }),
    verdict: "failure",
  },
  {
    from: "execa, too slow",
    error: () => shaped("timed out", { name: "ExecaError", isCanceled: false, timedOut: true }),
    verdict: "failure",
  },
  { from: "fetch, refused", error: () => shaped("fetch failed", { cause: shaped("", { code: "ECONNREFUSED" }) }), verdict: "failure" },
  { from: "a mark that is not true", error: () => ({ __CANCEL__: "no", isCanceled: 1 }), verdict: "failure" },
];

describe("in a cancelled scope", () => {
  for (const { from, error: makeError, verdict } of shapes) {
    test(`${from}: ${verdict === "failure" ? "a failure, which passes as it is" : `the cancellation, ${verdict}`}`, async () => {
      const { caught, rejection, error, assumed } = await leaving(makeError, true);
      expect(caught).toBe(verdict !== "failure");
      expect(assumed).toBe(verdict === "assumed" ? 1 : 0);
      expect(rejection).toBe(verdict === "failure" ? error : undefined);
    });
  }
});

describe("in a scope that is not cancelled", () => {
  for (const { from, error: makeError } of shapes) {
    test(`${from}: a failure, which passes as it is`, async () => {
      const { caught, rejection, error, assumed } = await leaving(makeError, false);
      expect(caught).toBe(false);
      expect(rejection).toBe(error);
      expect(assumed).toBe(0);
    });
  }
});

interface Leaving {
  readonly error: unknown;
  readonly caught: boolean;
  readonly rejection: unknown;
  readonly assumed: number | undefined;
}

/** Throws the error out of a scope, and tells what came out. */
async function leaving(makeError: Shape["error"], isCancelled: boolean): Promise<Leaving> {
  const elsewhere = AbortSignal.abort(await foreignCancelled());
  return run(async (root) => {
    const scope = new CancelScope();
    let error: unknown;
    let rejection: unknown;
    try {
      await scope.run(() => {
        if (isCancelled) scope.cancel();
        error = makeError(isCancelled ? scope.signal : elsewhere);
        throw error;
      });
    } catch (thrown) {
      rejection = thrown;
    }
    return { error, caught: scope.cancelledCaught, rejection, assumed: root._tree?.assumedCancellations };
  });
}
