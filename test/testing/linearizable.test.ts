import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/index.js";
import type { HistoryEntry } from "../../src/testing/history/history-entry.js";
import { assertLinearizable, NonlinearizableError, type SequentialModel } from "../../src/testing/index.js";

const register: SequentialModel<number> = {
  init: () => 0,
  step: (state, op, [value], result) => {
    if (op === "write") return { state: value as number };
    return result === state ? { state } : undefined;
  },
  maybe: (state, op, [value]) => [op === "write" ? (value as number) : state],
};
const queue: SequentialModel<readonly number[]> = {
  init: () => [],
  step: (state, op, [value], result) => {
    if (op === "push") return { state: [...state, value as number] };
    return state[0] === result ? { state: state.slice(1) } : undefined;
  },
  maybe: (state, op, [value]) => [op === "push" ? [...state, value as number] : state.slice(1)],
};
const lock: SequentialModel<string> = {
  init: () => "",
  step: (owner, op, _args, _result, { task }) => {
    if (op === "acquire") return owner === "" ? { state: task } : undefined;
    return owner === task ? { state: "" } : undefined;
  },
  fail: (owner, op, _args, _error, { task }) => ((op === "acquire" ? owner !== "" : owner !== task) ? { state: owner } : undefined),
};

function entry(
  task: string,
  op: string,
  args: readonly unknown[],
  call: number,
  ret: number,
  rest: Partial<HistoryEntry> = {},
): HistoryEntry {
  const outcome = { result: undefined, error: undefined, failed: false, cancelled: false };
  return { task, op, args, call, ret, callStep: call, retStep: ret, ...outcome, ...rest };
}

/** All orders of all subsets that have everything that must be in them: whether one is right. */
function bruteForce<S>(history: readonly HistoryEntry[], model: SequentialModel<S>, cancelled: "none" | "maybe"): boolean {
  const entries = history.filter((each) => cancelled === "maybe" || !each.cancelled);
  const isOptional = (each: HistoryEntry) => each.cancelled || each.ret === Number.POSITIVE_INFINITY;
  const goOn = (left: readonly HistoryEntry[], state: S): boolean => {
    if (left.every(isOptional)) return true;
    return left.some((next) => {
      const others = left.filter((each) => each !== next);
      // Nothing comes before what had returned; what may have had no effect is left out then.
      if (others.some((each) => each.ret < next.call && !isOptional(each))) return false;
      const open = others.filter((each) => each.ret >= next.call);
      return after(model, state, next).some((each) => goOn(open, each));
    });
  };
  return goOn(entries, model.init());
}

function after<S>(model: SequentialModel<S>, state: S, each: HistoryEntry): readonly S[] {
  const { op, args, result, error, failed } = each;
  if ((each.cancelled || each.ret === Number.POSITIVE_INFINITY) && model.maybe) return model.maybe(state, op, args, each);
  const next = failed ? (model.fail ? model.fail(state, op, args, error, each) : { state }) : model.step(state, op, args, result, each);
  return next === undefined ? [] : [next.state];
}

/** Histories of three tasks, each of which does one thing after another; results are anything. */
function histories(operation: fc.Arbitrary<Pick<HistoryEntry, "op" | "args"> & Partial<HistoryEntry>>): fc.Arbitrary<HistoryEntry[]> {
  const events = fc.array(fc.record({ task: fc.nat(2), operation, isCut: fc.integer({ min: 0, max: 5 }) }), { maxLength: 14 });
  return events.map((list) => {
    const open = new Map<number, number>();
    const entries: HistoryEntry[] = [];
    for (const [i, { task, operation: what, isCut }] of list.entries()) {
      const at = open.get(task);
      if (at === undefined) {
        open.set(task, entries.length);
        entries.push({ ...entry("ABC"[task] as string, what.op, what.args, i + 1, Number.POSITIVE_INFINITY), ...what });
      } else {
        open.delete(task);
        const before = entries[at] as HistoryEntry;
        entries[at] =
          isCut === 0
            ? { ...before, ret: i + 1, retStep: i + 1, cancelled: true, failed: false, result: undefined, error: undefined }
            : { ...before, ret: i + 1, retStep: i + 1 };
      }
    }
    return entries;
  });
}

const value = fc.nat(2);
const cases: readonly [string, SequentialModel<never>, fc.Arbitrary<HistoryEntry[]>][] = [
  [
    "a register",
    register as unknown as SequentialModel<never>,
    histories(
      fc.oneof(
        value.map((each) => ({ op: "write", args: [each] })),
        value.map((result) => ({ op: "read", args: [], result })),
      ),
    ),
  ],
  [
    "a queue",
    queue as unknown as SequentialModel<never>,
    histories(
      fc.oneof(
        value.map((each) => ({ op: "push", args: [each] })),
        fc.option(value, { nil: undefined }).map((result) => ({ op: "pop", args: [], result })),
      ),
    ),
  ],
  [
    "a lock",
    lock as unknown as SequentialModel<never>,
    histories(fc.record({ op: fc.constantFrom("acquire", "release"), args: fc.constant([]), failed: fc.boolean() })),
  ],
];

describe("assertLinearizable() agrees with a search of all orders:", () => {
  for (const [name, model, history] of cases) {
    for (const cancelled of ["none", "maybe"] as const) {
      test(`${name}, cancelled: ${cancelled}`, () => {
        let right = 0;
        let wrong = 0;
        fc.assert(
          fc.property(history, (entries) => {
            const expected = bruteForce(entries, model, cancelled);
            if (expected) right++;
            else wrong++;
            if (expected) assertLinearizable(entries, model, { cancelled });
            else expect(() => assertLinearizable(entries, model, { cancelled })).toThrow(NonlinearizableError);
          }),
          { numRuns: 1500 },
        );
        // Both come often enough to mean something.
        expect(Math.min(right, wrong)).toBeGreaterThan(150);
      });
    }
  }
});

function messageOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it did not throw");
}

describe("the report of assertLinearizable()", () => {
  test("shows the operations as intervals, the longest order that is right, and what is left", () => {
    const history = [
      entry("A", "write", [1], 1, 4),
      entry("B", "read", [], 2, 3, { result: 1 }),
      entry("C", "read", [], 5, 6, { result: 0 }),
      entry("C", "read", [], 7, 8, { result: 1 }),
    ];
    expect(messageOf(() => assertLinearizable(history, register))).toBe(
      [
        "the history is not linearizable: no order of these operations explains all of their results",
        "  operation      steps",
        "  A: write(1)    1-4    |--|",
        "  B: read() = 1  2-3     ||",
        "  C: read() = 0  5-6        ||",
        "the longest order that is right: A: write(1), B: read() = 1; then the state is 1",
        "not explained: C: read() = 0",
      ].join("\n"),
    );
  });

  test("names the part, and what failed, was cancelled or goes on", () => {
    const history = [
      entry("A", "push", [{ id: 1 }], 1, Number.POSITIVE_INFINITY),
      entry("B", "pop", [], 2, 3, { cancelled: true }),
      entry("B", "pop", [], 4, 5, { failed: true, error: new RangeError("empty") }),
      entry("B", "pop", [], 6, 7, { result: 9 }),
    ];
    const model: SequentialModel<readonly unknown[]> = {
      init: () => [],
      step: (state, op, [item], result) => {
        if (op === "push") return { state: [...state, item] };
        return state[0] === result ? { state: state.slice(1) } : undefined;
      },
      partition: () => "key k",
    };
    expect(messageOf(() => assertLinearizable(history, model))).toBe(
      [
        "the history is not linearizable (key k): no order of these operations explains all of their results",
        "  operation                          steps",
        '  A: push({"id":1}) goes on          1-     |-------',
        "  B: pop() cancelled                 2-3     ||",
        "  B: pop() throws RangeError: empty  4-5       ||",
        "  B: pop() = 9                       6-7         ||",
        'the longest order that is right: A: push({"id":1}) goes on, B: pop() throws RangeError: empty; then the state is [{"id":1}]',
        "not explained: B: pop() = 9",
      ].join("\n"),
    );
  });

  test("leaves the beginning of a long history out", () => {
    const history = Array.from({ length: 40 }, (_, i) => entry("A", "write", [i], 2 * i + 1, 2 * i + 2));
    history.push(entry("B", "read", [], 81, 82, { result: 5 }));
    const lines = messageOf(() => assertLinearizable(history, register)).split("\n");
    expect(lines[1]).toBe("  … 17 earlier operations");
    expect(lines.at(-1)).toBe("not explained: B: read() = 5");
    expect(lines.length).toBeLessThan(32);
  });
});

describe("assertLinearizable()", () => {
  test("takes a cancelled operation to have had no effect, unless it is told otherwise", () => {
    const history = [entry("A", "write", [1], 1, 2, { cancelled: true }), entry("B", "read", [], 3, 4, { result: 1 })];
    expect(() => assertLinearizable(history, register)).toThrow(NonlinearizableError);
    assertLinearizable(history, register, { cancelled: "maybe" });
    const late = [entry("B", "read", [], 3, 4, { result: 0 }), entry("B", "read", [], 5, 6, { result: 1 })];
    expect(() => assertLinearizable([history[0] as HistoryEntry, ...late], register, { cancelled: "maybe" })).toThrow(NonlinearizableError);
  });

  test("checks parts apart", () => {
    const model: SequentialModel<number> = { ...register, partition: (_op, args) => String(args.at(-1)) };
    const history = ["a", "b"].flatMap((key, i) => [
      entry("A", "write", [i + 1, key], 4 * i + 1, 4 * i + 2),
      entry("A", "read", [key], 4 * i + 3, 4 * i + 4, { result: i + 1 }),
    ]);
    assertLinearizable(history, model);
    expect(() => assertLinearizable([...history, entry("A", "read", ["a"], 9, 10, { result: 2 })], model)).toThrow("(a)");
  });

  test("does a long history in no time, and a deep state", () => {
    const history: HistoryEntry[] = [];
    for (let i = 0; i < 2000; i++) {
      history.push(entry("A", "push", [i], 4 * i + 1, 4 * i + 3), entry("B", "pop", [], 4 * i + 2, 4 * i + 4, { result: i }));
    }
    assertLinearizable(history, queue);
    type List = { readonly next: List } | null;
    const deep: SequentialModel<List> = { init: () => null, step: (state) => ({ state: { next: state } as List }) };
    assertLinearizable(history.slice(0, 1000), deep);
  });

  test("gives up where there are too many states, and says what to do", () => {
    const history = Array.from({ length: 14 }, (_, i) => entry(`T${i}`, "push", [i], i + 1, 100 + i));
    history.push(entry("R", "pop", [], 200, 201, { result: 99 }));
    expect(() => assertLinearizable(history, queue, { maxStates: 500 })).toThrow(
      new UsageError(
        "no verdict on a history of 15 operations after 500 states: record fewer operations at once, give the model a partition(), or raise `maxStates`",
      ),
    );
  });

  test("refuses wrong options", () => {
    expect(() => assertLinearizable([], register, { cancelled: "yes" as never })).toThrow(
      new UsageError('`cancelled` of assertLinearizable() is "none" or "maybe", not yes'),
    );
    expect(() => assertLinearizable([], register, { maxStates: 0 })).toThrow(RangeError);
  });
});
