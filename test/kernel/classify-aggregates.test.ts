import { describe, expect, test } from "vitest";
import { CancelScope, ErrorGroup, run } from "../../src/index.js";
import { classify } from "../../src/kernel/classify.js";
import { inCancelledScopes, reasonOf, rejectionAs, rejectionOf } from "./support.js";

type Verdict = ReturnType<typeof classify>;

/** Node 20 has none; engines that have one make just this shape. */
class SuppressedError extends Error {
  override readonly name = "SuppressedError";
  readonly error: unknown;
  readonly suppressed: unknown;

  constructor(error: unknown, suppressed: unknown) {
    super("an error was suppressed");
    this.error = error;
    this.suppressed = suppressed;
  }
}

const a = new Error("a");
const b = new Error("b");
const c = new Error("c");
const abort = (): Error => new DOMException("no link", "AbortError");
const group = (...errors: unknown[]): ErrorGroup => new ErrorGroup(errors, "a test");

interface Judged {
  readonly verdict: Verdict;
  readonly own: Error;
}

function judge(makeError: (own: Error) => unknown): Promise<Judged> {
  return inCancelledScopes(({ scope }) => ({ verdict: classify(makeError(reasonOf(scope)), scope), own: reasonOf(scope) }));
}

/** What is kept of an error that is a failure. */
async function kept(makeError: (own: Error) => unknown): Promise<unknown> {
  const { verdict } = await judge(makeError);
  if (verdict.isCancellation) throw new Error("it is taken for a cancellation");
  return verdict.error;
}

/** A group as nested arrays of its leaves. */
function structure(error: unknown): unknown {
  return error instanceof ErrorGroup ? error.errors.map(structure) : error;
}

/** Guards against walking in circles: reads of `errors` beyond any need throw. */
function watched(aggregate: AggregateError): AggregateError {
  const { errors } = aggregate;
  let reads = 0;
  return Object.defineProperty(aggregate, "errors", {
    get() {
      if (++reads > 1_000) throw new Error("walks in circles");
      return errors;
    },
  });
}

describe("step 3: an aggregate of nothing but cancellations is one", () => {
  const rows: [name: string, error: (own: Error) => unknown, assumed: number][] = [
    ["an AggregateError of the reason", (own) => new AggregateError([own, own]), 0],
    ["an ErrorGroup of the reason", (own) => group(own), 0],
    ["leaves that are linked to the reason by their causes", (own) => new AggregateError([new Error("x", { cause: own })]), 0],
    ["leaves of the shape of an abort, each counted", () => new AggregateError([abort(), abort()]), 2],
    ["aggregates in aggregates", (own) => new AggregateError([new AggregateError([own]), group(group(own))]), 0],
    ["an Error with an array `errors` that is no AggregateError", (own) => Object.assign(new Error("many"), { errors: [own] }), 0],
    ["a SuppressedError of two", (own) => new SuppressedError(own, own), 0],
    ["SuppressedErrors in one another", (own) => new SuppressedError(own, new SuppressedError(abort(), own)), 1],
    ["a SuppressedError in an aggregate, and the other way round", (own) => group(new SuppressedError(own, group(own))), 0],
  ];
  for (const [name, error, assumed] of rows) {
    test(name, async () => {
      const { verdict, own } = await judge(error);
      if (!verdict.isCancellation) throw new Error("taken for a failure");
      expect(verdict.reason).toBe(own);
      expect(verdict.assumed).toBe(assumed);
    });
  }

  test("one that holds itself", async () => {
    const { verdict } = await judge((own) => {
      const errors: unknown[] = [own];
      const aggregate = new AggregateError([]);
      aggregate.errors = errors;
      errors.push(aggregate);
      return watched(aggregate);
    });
    expect(verdict.isCancellation).toBe(true);
  });

  test("one that is nested 20,000 deep", async () => {
    const { verdict } = await judge((own) => {
      let deep: unknown = own;
      for (let i = 0; i < 20_000; i++) deep = new AggregateError([deep]);
      return deep;
    });
    expect(verdict.isCancellation).toBe(true);
  });
});

describe("step 3: an aggregate without a cancellation is a failure, kept as the very object", () => {
  const rows: [name: string, error: unknown][] = [
    ["an empty AggregateError", new AggregateError([])],
    ["an empty ErrorGroup", group()],
    ["an aggregate of empty ones", new AggregateError([new AggregateError([]), group()])],
    ["one of the shape of an abort, but empty", Object.assign(new AggregateError([]), { name: "AbortError" })],
    ["one genuine error", new AggregateError([a])],
    ["several", group(a, group(b, c))],
    ["undefined among them", new AggregateError([undefined, a])],
    ["a response with the errors of a server", Object.assign(new Error("400"), { errors: [{ message: "no such field" }] })],
    ["a SuppressedError of two genuine ones", new SuppressedError(a, b)],
    ["a SuppressedError without the two", Object.assign(new Error("only named so"), { name: "SuppressedError" })],
  ];
  for (const [name, error] of rows) {
    test(name, async () => expect(await kept(() => error)).toBe(error));
  }

  test("an aggregate of which `errors` cannot be read", async () => {
    const error = Object.defineProperty(new AggregateError([]), "errors", {
      get() {
        throw new TypeError("no");
      },
    });
    expect(await kept(() => error)).toBe(error);
  });

  test("an aggregate in which there is one of which `errors` cannot be read", async () => {
    const error = new AggregateError([Object.defineProperty(new AggregateError([]), "errors", { value: undefined })]);
    expect(await kept(() => error)).toBe(error);
  });

  // R3 is stronger than step 2: the genuine leaves would be lost with the aggregate.
  for (const [name, errors] of Object.entries({ "": [a, b], ", of one": [a], ", also if it has none": [] })) {
    test(`one whose own cause is the reason: its leaves decide${name}`, async () => {
      let error: unknown;
      const remains = await kept((own) => {
        error = new AggregateError(errors, "many", { cause: own });
        return error;
      });
      expect(remains).toBe(error);
    });
  }

  test("one that is the cause of an error is not looked into: the error stands for itself", async () => {
    const error = new Error("outer", { cause: undefined });
    expect(await kept((own) => Object.assign(error, { cause: new AggregateError([own]) }))).toBe(error);
  });
});

describe("step 3: of a mixed aggregate the genuine errors are kept", () => {
  test("a single one as it is", async () => {
    expect(await kept((own) => new AggregateError([own, a]))).toBe(a);
    expect(await kept((own) => group(group(own), group(group(a), own)))).toBe(a);
    expect(await kept((own) => Object.assign(new Error("many"), { errors: [a, own] }))).toBe(a);
  });

  test("undefined, if that is what was thrown", async () => {
    expect(await kept((own) => new AggregateError([own, undefined]))).toBe(undefined);
  });

  test("the error of a SuppressedError, or the suppressed one", async () => {
    expect(await kept((own) => new SuppressedError(a, own))).toBe(a);
    expect(await kept((own) => new SuppressedError(own, b))).toBe(b);
  });

  test("one that is there twice counts once (R3)", async () => {
    expect(await kept((own) => new AggregateError([a, a, own]))).toBe(a);
    expect(await kept((own) => group(a, group(own, group(a))))).toBe(a);
    expect(await kept((own) => new AggregateError([Number.NaN, own, Number.NaN]))).toBe(Number.NaN);
    expect(structure(await kept((own) => new AggregateError([b, a, own, b, a])))).toEqual([b, a]);
  });

  test("where one of several is there twice, and in a structure, they come in order, and the structure as the cause", async () => {
    let mixed: unknown;
    const error = await kept((own) => {
      mixed = group(a, group(b, a), own, b, c);
      return mixed;
    });
    expect(structure(error)).toEqual([a, b, c]);
    expect(error).toHaveProperty("cause", mixed);
  });

  test("0 and -0 are two, and each comes as it is (R15)", async () => {
    expect(await kept((own) => new AggregateError([-0, own, -0]))).toBe(-0);
    const { errors } = (await kept((own) => new AggregateError([-0, 0, own, -0]))) as AggregateError;
    expect(errors).toEqual([-0, 0]);
  });

  test("several of an AggregateError as a group, with the aggregate as its cause", async () => {
    let mixed: unknown;
    const error = await kept((own) => {
      mixed = new AggregateError([a, own, b], "many");
      return mixed;
    });
    expect(structure(error)).toEqual([a, b]);
    expect(error).toHaveProperty("cause", mixed);
    expect(error).toHaveProperty("message", "2 errors in root > outer > judged (Error: a; Error: b)");
  });

  test("several of an ErrorGroup in the structure they had", async () => {
    const error = await kept((own) => group(own, group(a, abort()), group(own), group(group(b), c)));
    expect(structure(error)).toEqual([[a], [[b], c]]);
  });

  test("the group itself is left as it was (R15)", async () => {
    const inside = group(a, abort());
    const mixed = group(inside, b);
    const before = structure(mixed);
    await kept(() => mixed);
    expect(structure(mixed)).toEqual(before);
    expect(mixed.errors[0]).toBe(inside);
  });

  test("those inside a SuppressedError that is inside a group (R3: none is lost)", async () => {
    const error = await kept((own) => group(a, own, new SuppressedError(b, c)));
    expect(new Set(deepLeaves(error))).toEqual(new Set([a, b, c]));
  });

  test("those inside a mixed SuppressedError that is inside a group (R3: none is lost)", async () => {
    const error = await kept((own) => group(a, c, new SuppressedError(b, own)));
    expect(new Set(deepLeaves(error))).toEqual(new Set([a, b, c]));
  });

  test("those inside an Error with `errors` that is inside a group (R3: none is lost)", async () => {
    const error = await kept((own) => group(a, own, Object.assign(new Error("many"), { errors: [b, c] })));
    expect(new Set(deepLeaves(error))).toEqual(new Set([a, b, c]));
  });

  test("of a group that holds itself", async () => {
    const error = await kept((own) => {
      const mixed = group(a, own, b);
      mixed.errors.push(mixed);
      return watched(mixed);
    });
    expect(new Set(deepLeaves(error))).toEqual(new Set([a, b]));
  });
});

/** The genuine errors that can still be found in what was kept, wherever they are. */
function deepLeaves(error: unknown, seen = new Set<unknown>()): unknown[] {
  if (seen.has(error)) return [];
  seen.add(error);
  if (error instanceof SuppressedError) return [error.error, error.suppressed].filter(isGenuine).flatMap((part) => deepLeaves(part, seen));
  const { errors } = Object(error) as { errors?: unknown };
  if (Array.isArray(errors)) return errors.flatMap((part) => deepLeaves(part, seen));
  return [error];
}

function isGenuine(error: unknown): boolean {
  return !(error instanceof DOMException);
}

describe("an aggregate leaving a scope", () => {
  test("is swallowed with the scope's cancellation when nothing in it is genuine", async () => {
    const scope = new CancelScope();
    const value = await run(() =>
      scope.run((own) => {
        own.cancel();
        throw new AggregateError([own.signal.reason, abort()]);
      }),
    );
    expect(value).toBe(undefined);
    expect(scope.cancelledCaught).toBe(true);
  });

  test("CC4: without a cancellation in it passes a cancelled scope, which has caught nothing then", async () => {
    const scope = new CancelScope();
    const error = new AggregateError([a, b]);
    const promise = run(() =>
      scope.run((own) => {
        own.cancel();
        throw error;
      }),
    );
    expect(await rejectionOf(promise)).toBe(error);
    expect(scope.cancelledCaught).toBe(false);
  });

  test("EG3: loses its cancellations at any depth and keeps the rest with its structure", async () => {
    const promise = run(() =>
      new CancelScope().run((own) => {
        own.cancel();
        throw group(a, group(own.signal.reason, group(b)), own.signal.reason);
      }),
    );
    expect(structure(await rejectionAs(ErrorGroup, promise))).toEqual([a, [[b]]]);
  });
});
