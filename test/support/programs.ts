import fc from "fast-check";
import { type Block, type Code, type Guard, type Op, type Program, type Ref, type Statement, THROWN, type Thrown } from "./program.js";

export interface ProgramOptions {
  /** Statements that are not to occur. */
  readonly without?: readonly Op[];
  /** What is thrown. Default: everything. */
  readonly thrown?: readonly Thrown[];
  /** Durations. Default: 0 to 20 ms, many of them equal. */
  readonly ms?: fc.Arbitrary<number>;
  /** How deep blocks nest. Default 4. */
  readonly depth?: number;
}

/** Random structured programs. They use all of the core, however senselessly: errors, cancellations, and code that nobody awaits. */
export function programs(options: ProgramOptions = {}): fc.Arbitrary<Program> {
  const { block } = statements(options);
  const errors = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant("group" as const) });
  return record<Program>({ errors, body: block(options.depth ?? 4, 8) });
}

type Weighted = fc.WeightedArbitrary<Statement>;
type Choice = readonly [op: Op, weight: number, of: () => fc.Arbitrary<Statement>];

/** Plain records, which print as literals. */
function record<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

function statements(options: ProgramOptions): { block: (depth: number, maxLength?: number) => fc.Arbitrary<Block> } {
  const without = new Set(options.without ?? []);
  const ms = options.ms ?? fc.oneof(fc.constantFrom(0, 1, 5, 10), fc.nat(20));
  const bool = fc.boolean();
  const seldom = fc.nat(4).map((n) => n === 4);
  const index = fc.nat(7);
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
  const ref = record<Ref>({ among: fc.constantFrom("around", "around", "around", "all"), n: index });
  const op = <O extends Op>(name: O) => fc.constant(name);
  /** Seldom the run itself: cancelling that ends the program. */
  const inner = record<Ref>({ among: fc.constantFrom("around", "all", "all"), n: index });

  /** Those that wait for nothing, and hold no other statement. */
  const instant: readonly Choice[] = [
    ["throw", 5, () => record({ op: op("throw"), what: fc.constantFrom(...(options.thrown ?? THROWN)) })],
    ["cancel", 6, () => record({ op: op("cancel"), scope: inner })],
    ["deadline", 3, () => record({ op: op("deadline"), scope: inner, ms })],
    ["setShield", 3, () => record({ op: op("setShield"), scope: inner, on: bool })],
    ["set", 3, () => record({ op: op("set"), event: index })],
    ["started", 2, () => record({ op: op("started") })],
    ["drop", 1, () => record({ op: op("drop"), ms })],
  ];
  /** Those that wait, and hold no other statement. */
  const waiting: readonly Choice[] = [
    ["checkpoint", 5, () => record({ op: op("checkpoint") })],
    ["sleep", 12, () => record({ op: op("sleep"), ms })],
    ["join", 5, () => record({ op: op("join"), task: index, patience: ms })],
    ["wait", 3, () => record({ op: op("wait"), event: index, patience: ms })],
  ];
  /** Those that wait for nothing, but hold others. */
  const instantNest = (depth: number): readonly Choice[] => [
    ["spawn", 14, () => record({ op: op("spawn"), nursery: ref, background: seldom, code: code(depth - 1) })],
    ["defer", 4, () => record({ op: op("defer"), code: code(depth - 1) })],
    ["use", 2, () => record({ op: op("use"), code: code(depth - 1) })],
    ["float", 2, () => record({ op: op("float"), body: block(depth - 1) })],
  ];
  const waitingNest = (depth: number): readonly Choice[] => [
    ["nursery", 10, () => record({ op: op("nursery"), errors: maybe(fc.constantFrom("group", "collapse")), code: code(depth - 1, 5) })],
    ["scope", 7, () => record({ op: op("scope"), timeout: maybe(ms), shield: seldom, code: code(depth - 1) })],
    ["failAfter", 4, () => record({ op: op("failAfter"), ms, code: code(depth - 1) })],
    ["shield", 2, () => record({ op: op("shield"), timeout: maybe(ms), code: code(depth - 1) })],
    ["start", 5, () => record({ op: op("start"), nursery: ref, background: seldom, code: starting(depth - 1) })],
    [
      "try",
      6,
      () =>
        record({
          op: op("try"),
          body: block(depth - 1),
          catch: maybe(record({ body: block(depth - 1, 2), finish: fc.constantFrom("swallow", "rethrow", "wrap") })),
          finally: maybe(block(depth - 1, 2)),
          shielded: bool,
        }),
    ],
    [
      "section",
      4,
      () =>
        record({
          op: op("section"),
          of: fc.constantFrom<Guard>("lock", "semaphore", "limiter"),
          n: index,
          body: block(depth - 1),
          patience: ms,
        }),
    ],
  ];

  const made = new Map<string, fc.Arbitrary<Statement>>();
  function statement(depth: number, isAsync: boolean): fc.Arbitrary<Statement> {
    const key = `${depth} ${isAsync}`;
    let arbitrary = made.get(key);
    if (arbitrary === undefined) {
      const choices = [
        ...instant,
        ...(isAsync ? waiting : []),
        ...(depth > 0 ? [...instantNest(depth), ...(isAsync ? waitingNest(depth) : [])] : []),
      ];
      const allowed = choices.filter(([name]) => !without.has(name));
      arbitrary = fc.oneof(...allowed.map(([, weight, of]): Weighted => ({ weight, arbitrary: of() })));
      made.set(key, arbitrary);
    }
    return arbitrary;
  }
  function block(depth: number, maxLength = 5): fc.Arbitrary<Block> {
    return fc.array(statement(depth, true), { maxLength, size: "max" });
  }
  function code(depth: number, maxLength = 5): fc.Arbitrary<Code> {
    return fc.oneof(
      {
        weight: 1,
        arbitrary: record<Code>({ isAsync: fc.constant(false), body: fc.array(statement(depth, false), { maxLength: 2, size: "max" }) }),
      },
      { weight: 4, arbitrary: record<Code>({ isAsync: fc.constant(true), body: block(depth, maxLength) }) },
    );
  }
  /** Most tasks that are to be started say so. */
  function starting(depth: number): fc.Arbitrary<Code> {
    const says = fc.constant<Statement>({ op: "started" });
    const saying = fc.tuple(block(depth, 2), says, block(depth, 3)).map(([before, started, after]) => [...before, started, ...after]);
    return fc.oneof(
      { weight: 1, arbitrary: code(depth) },
      { weight: 4, arbitrary: record<Code>({ isAsync: fc.constant(true), body: saying }) },
    );
  }
  return { block };
}
