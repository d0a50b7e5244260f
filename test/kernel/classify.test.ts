import { describe, expect, test } from "vitest";
import { CancelScope, run } from "../../src/index.js";
import { classify } from "../../src/kernel/classify.js";
import { foreignCancelled, inCancelledScopes, reasonOf, rejectionOf } from "./support.js";

/** What a row may need: reasons of this tree and of another one. */
interface Reasons {
  readonly own: Error;
  readonly outer: Error;
  readonly inner: Error;
  readonly elsewhere: Error;
}

interface Row {
  readonly name: string;
  readonly error: (reasons: Reasons) => unknown;
  /** `linked`: known for sure (steps 1 to 3). `assumed`: by its shape (step 4), and counted. */
  readonly verdict: "linked" | "assumed" | "failure";
}

/** `causes(n, end)`: an error from which `n` hops along `cause` lead to `end`. */
function causes(n: number, end: unknown): unknown {
  let error = end;
  for (let i = 0; i < n; i++) error = new Error(`hop ${n - i}`, { cause: error });
  return error;
}

function circle(): Error {
  const error = new Error("round", { cause: undefined });
  const back = new Error("and round", { cause: error });
  error.cause = back;
  return error;
}

function withGetter(key: string): Error {
  return Object.defineProperty(new Error("its getter throws"), key, {
    get() {
      throw new TypeError(`${key} cannot be read`);
    },
  });
}

const hostile = new Proxy(new Error("hostile"), {
  get() {
    throw new TypeError("no property can be read");
  },
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function named(name: string, cause?: unknown): Error {
  return Object.assign(new Error("named", cause === undefined ? undefined : { cause }), { name });
}

const steps: Record<string, Row[]> = {
  "1: a Cancelled of this tree": [
    { name: "the scope's own reason", error: ({ own }) => own, verdict: "linked" },
    { name: "the reason of a scope around it", error: ({ outer }) => outer, verdict: "linked" },
    { name: "the reason of a scope inside it", error: ({ inner }) => inner, verdict: "linked" },
    { name: "a Cancelled of another tree is only shaped like one", error: ({ elsewhere }) => elsewhere, verdict: "assumed" },
  ],
  "2: the chain of causes reaches one": [
    { name: "the own reason as the cause", error: ({ own }) => causes(1, own), verdict: "linked" },
    { name: "an outer reason as the cause", error: ({ outer }) => causes(1, outer), verdict: "linked" },
    { name: "an inner reason as the cause", error: ({ inner }) => causes(1, inner), verdict: "linked" },
    { name: "a reason 8 hops away", error: ({ own }) => causes(8, own), verdict: "linked" },
    { name: "a reason 9 hops away is too far", error: ({ own }) => causes(9, own), verdict: "failure" },
    { name: "a cause that is no Error, but has a cause", error: ({ own }) => causes(1, { cause: own }), verdict: "linked" },
    { name: "a plain object whose cause is the reason", error: ({ own }) => ({ cause: own }), verdict: "linked" },
    { name: "a TimeoutError that is linked to the reason", error: ({ own }) => named("TimeoutError", own), verdict: "linked" },
    { name: "a circle of causes", error: circle, verdict: "failure" },
    {
      name: "a circle of causes of which one looks like an abort",
      error: () => Object.assign(circle(), { name: "AbortError" }),
      verdict: "assumed",
    },
    {
      name: "an error that is its own cause",
      error: () => {
        const error = new Error("mine");
        error.cause = error;
        return error;
      },
      verdict: "failure",
    },
    { name: "the reason beyond a getter that throws", error: () => withGetter("cause"), verdict: "failure" },
    // Named false positive: its author linked a new failure to the cancellation. A walk along causes cannot tell.
    {
      name: "a new failure in a cleanup, to which its author gave the reason as its cause",
      error: ({ own }) => new Error("flush failed", { cause: own }),
      verdict: "linked",
    },
  ],
  "4: the shape of an abort": [
    { name: "AbortError by name", error: () => named("AbortError"), verdict: "assumed" },
    { name: "AbortError by name, as a DOMException", error: () => new DOMException("no link", "AbortError"), verdict: "assumed" },
    { name: "CanceledError by name", error: () => named("CanceledError"), verdict: "assumed" },
    { name: "CancelledError by name", error: () => named("CancelledError"), verdict: "assumed" },
    { name: "APIUserAbortError by name", error: () => named("APIUserAbortError"), verdict: "assumed" },
    { name: "a plain object with the name", error: () => ({ name: "AbortError" }), verdict: "assumed" },
    { name: "the reason of an AbortController that was given none", error: () => AbortSignal.abort().reason, verdict: "assumed" },
    // Named false positive: nothing but a diagnostic is lost, because the scope is cancelled anyway.
    {
      name: "an AbortError of a private AbortController that fired after the scope was cancelled",
      error: () => {
        const controller = new AbortController();
        controller.abort();
        return controller.signal.reason;
      },
      verdict: "assumed",
    },
    { name: "the shape of a cause", error: () => causes(1, named("AbortError")), verdict: "assumed" },
    { name: "the shape of a cause 8 hops away", error: () => causes(8, named("AbortError")), verdict: "assumed" },
    { name: "the shape of a cause 9 hops away", error: () => causes(9, named("AbortError")), verdict: "failure" },
    {
      name: "the name is read although the code throws",
      error: () => Object.assign(withGetter("code"), { name: "AbortError" }),
      verdict: "assumed",
    },
    {
      name: "the code is read although the name throws",
      error: () => Object.assign(withGetter("name"), { code: "ABORT_ERR" }),
      verdict: "assumed",
    },
    { name: "a TimeoutError", error: () => new DOMException("too slow", "TimeoutError"), verdict: "failure" },
    // Named false negative: an inner AbortSignal.timeout that fired later.
    { name: "the reason of AbortSignal.timeout()", error: () => named("TimeoutError"), verdict: "failure" },
    {
      name: "a TimeoutError with the code of an abort",
      error: () => Object.assign(named("TimeoutError"), { code: "ABORT_ERR" }),
      verdict: "failure",
    },
    { name: "a TimeoutError caused by an abort", error: () => named("TimeoutError", named("AbortError")), verdict: "failure" },
    { name: "a name of which only a part is that of an abort", error: () => named("MyAbortErrorish"), verdict: "failure" },
    { name: "the message of an abort", error: () => new Error("AbortError: The operation was aborted"), verdict: "failure" },
  ],
  "5: anything else": [
    { name: "an Error", error: () => new Error("genuine"), verdict: "failure" },
    { name: "undefined", error: () => undefined, verdict: "failure" },
    { name: "null", error: () => null, verdict: "failure" },
    { name: "0", error: () => 0, verdict: "failure" },
    { name: "a string, also one that is the name of an abort", error: () => "AbortError", verdict: "failure" },
    { name: "a symbol", error: () => Symbol("thrown"), verdict: "failure" },
    { name: "a function", error: () => () => {}, verdict: "failure" },
    { name: "an object without a prototype", error: () => Object.create(null), verdict: "failure" },
    { name: "a Proxy of which no property can be read", error: () => hostile, verdict: "failure" },
    { name: "a Proxy that was revoked", error: revoked, verdict: "failure" },
  ],
};

interface Judged {
  readonly error: unknown;
  readonly verdict: ReturnType<typeof classify>;
  readonly reasons: Reasons;
}

/** The verdict in a cancelled scope. */
async function judge(makeError: Row["error"]): Promise<Judged> {
  const elsewhere = await foreignCancelled();
  return inCancelledScopes(({ outer, scope, inner }) => {
    const reasons = { own: reasonOf(scope), outer: reasonOf(outer), inner: reasonOf(inner), elsewhere };
    const error = makeError(reasons);
    return { error, verdict: classify(error, scope), reasons };
  });
}

for (const [step, rows] of Object.entries(steps)) {
  describe(`step ${step}`, () => {
    for (const { name, error: makeError, verdict: expected } of rows) {
      test(`${name}: ${expected === "failure" ? "a failure, kept as it is" : `a cancellation, ${expected}`}`, async () => {
        const { error, verdict } = await judge(makeError);
        expect(verdict.isCancellation).toBe(expected !== "failure");
        expect(verdict.assumed).toBe(expected === "assumed" ? 1 : 0);
        if (!verdict.isCancellation) expect(Object.is(verdict.error, error)).toBe(true);
      });
    }
  });
}

describe("step 0: a scope that is not cancelled at this instant", () => {
  for (const { name, error: makeError } of Object.values(steps).flat()) {
    test(`takes for a failure, and keeps as it is: ${name}`, async () => {
      const { error } = await judge(makeError);
      const verdict = await run((root) => classify(error, root));
      if (verdict.isCancellation) throw new Error("taken for a cancellation");
      expect(Object.is(verdict.error, error)).toBe(true);
    });
  }

  test("an AbortError before our abort stays a failure, also when the scope is cancelled soon after", async () => {
    const error = named("AbortError");
    const scope = new CancelScope();
    const promise = run(() =>
      scope.run(() => {
        queueMicrotask(() => scope.cancel());
        throw error;
      }),
    );
    expect(await rejectionOf(promise)).toBe(error);
  });
});

describe("what goes on", () => {
  test("is the reason that the error stands for, when it is linked", async () => {
    const { verdict, reasons } = await judge(({ inner }) => causes(2, inner));
    expect(verdict).toMatchObject({ isCancellation: true, reason: reasons.inner });
  });

  test("is the scope's own reason, when it is assumed", async () => {
    const { verdict, reasons } = await judge(() => named("AbortError"));
    expect(verdict).toMatchObject({ isCancellation: true, reason: reasons.own });
  });

  test("a Cancelled of a scope that was cancelled before it was entered is of the tree it was entered in", async () => {
    const inner = new CancelScope();
    inner.cancel();
    const assumed = await run(async (root) => {
      await new CancelScope().run((outer) =>
        inner.run(() => {
          outer.cancel();
          inner.throwIfCancelled();
        }),
      );
      return root._tree?.assumedCancellations;
    });
    expect(assumed).toBe(0);
  });
});
