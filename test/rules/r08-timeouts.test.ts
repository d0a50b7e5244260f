import fc from "fast-check";
import { expect, test } from "vitest";
import { Cancelled, failAfter, failAt, moveOnAfter, moveOnAt, now, shield, sleep, TimeoutError } from "../../src/index.js";
import { interpret } from "../support/interpret.js";
import { isFloating, lineOf } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { programs } from "../support/programs.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const KINDS = ["failAfter", "failAt", "shield", "moveOnAfter", "moveOnAt"] as const;

/** A limit around what is inside of it, and what its code does after that. */
interface Level {
  readonly kind: (typeof KINDS)[number];
  readonly ms: number;
  /** Whether it goes on after a timeout inside. */
  readonly catches: boolean;
  readonly after: number;
}

interface Nest {
  /** From the outside in. */
  readonly levels: readonly Level[];
  /** The innermost code waits for that long, and then returns or throws. */
  readonly work: number;
  readonly fails: boolean;
}

type Outcome = "value" | "timeout" | "moved on" | "cancelled" | "failed";
interface End {
  readonly outcome: Outcome;
  readonly at: number;
}

const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
const nests = record<Nest>({
  levels: fc.array(record<Level>({ kind: fc.constantFrom(...KINDS), ms: fc.nat(12), catches: fc.boolean(), after: fc.nat(4) }), {
    minLength: 1,
    maxLength: 5,
  }),
  work: fc.nat(12),
  fails: fc.boolean(),
});

/** What is thrown on between the levels of the model. */
type Thrown = "timeout" | "cancelled" | "failed";

/** By arithmetic: everything begins at 0, and the earliest limit that is visible is when a wait is over. */
class Model {
  readonly ends: End[] = [];
  readonly #nest: Nest;
  #now = 0;

  constructor(nest: Nest) {
    this.#nest = nest;
  }

  run(): readonly End[] {
    this.#level(0);
    return this.ends;
  }

  #at(i: number): Level {
    return this.#nest.levels[i] as Level;
  }

  /** The earliest limit that holds in the code of level `i`: a shield hides those around it. */
  #limit(i: number): number {
    if (i < 0) return Number.POSITIVE_INFINITY;
    const { kind, ms } = this.#at(i);
    return kind === "shield" ? ms : Math.min(ms, this.#limit(i - 1));
  }

  #level(i: number): Thrown | undefined {
    const { kind, ms } = this.#at(i);
    const thrown = this.#code(i);
    const isMine = ms <= this.#now && (kind === "shield" || this.#limit(i - 1) > this.#now);
    let outcome: Outcome = thrown ?? "value";
    if (thrown === "cancelled" && isMine) outcome = kind.startsWith("moveOn") ? "moved on" : "timeout";
    this.ends[i] = { outcome, at: this.#now };
    return outcome === "value" || outcome === "moved on" ? undefined : outcome;
  }

  #code(i: number): Thrown | undefined {
    if (i + 1 === this.#nest.levels.length) return this.#wait(i, this.#nest.work) ?? (this.#nest.fails ? "failed" : undefined);
    const thrown = this.#level(i + 1);
    if (thrown !== undefined && !(thrown === "timeout" && this.#at(i).catches)) return thrown;
    return this.#wait(i, this.#at(i).after);
  }

  #wait(i: number, ms: number): "cancelled" | undefined {
    const limit = this.#limit(i);
    const isCutOff = limit <= this.#now + ms;
    this.#now = Math.max(this.#now, Math.min(limit, this.#now + ms));
    return isCutOff ? "cancelled" : undefined;
  }
}

const FAILURE = new Error("expected");

/** The same with the library. */
async function actual({ levels, work, fails }: Nest, schedule: number): Promise<End[]> {
  const ends: End[] = [];

  async function level(i: number): Promise<unknown> {
    const { kind, ms } = levels[i] as Level;
    const body = () => code(i);
    try {
      const value = await (kind === "failAfter"
        ? failAfter(ms, body)
        : kind === "failAt"
          ? failAt(ms, body)
          : kind === "shield"
            ? shield(body, { timeout: ms })
            : kind === "moveOnAfter"
              ? moveOnAfter(ms, body)
              : moveOnAt(ms, body));
      ends[i] = { outcome: value === undefined ? "moved on" : "value", at: now() };
      return value;
    } catch (error) {
      ends[i] = { outcome: outcomeOf(error), at: now() };
      throw error;
    }
  }

  async function code(i: number): Promise<string> {
    const { catches, after } = levels[i] as Level;
    if (i + 1 === levels.length) {
      await sleep(work);
      if (fails) throw FAILURE;
    } else {
      await level(i + 1).catch((error) => {
        if (!(catches && error instanceof TimeoutError)) throw error;
      });
      await sleep(after);
    }
    return "value";
  }

  await simulate(() => level(0).catch(() => {}), { pick: pickOf(schedule) });
  return ends;
}

function outcomeOf(error: unknown): Outcome {
  if (error === FAILURE) return "failed";
  if (error instanceof TimeoutError) return "timeout";
  expect(error).toBeInstanceOf(Cancelled);
  return "cancelled";
}

test("R8: in a nest of limits each throws TimeoutError for its own time, passes other cancellations and errors, and lets pass what is on time", async () => {
  await fc.assert(
    fc.asyncProperty(nests, schedules(), async (nest, schedule) => {
      expect(await actual(nest, schedule)).toEqual(new Model(nest).run());
    }),
    { numRuns: 2500 },
  );
});

test("R8: a TimeoutError comes into being only where a failAfter or a shield ends by catching its own cancellation", async () => {
  await fc.assert(
    fc.asyncProperty(programs({ without: ["defer", "use"] }), schedules(), fc.constantFrom(...MODES), async (program, schedule, mode) => {
      const { log } = await interpret(program, { schedule, mode });
      const known = new Set<unknown>();
      for (const entry of log) {
        const { what, place, outcome } = entry;
        if (outcome === undefined || outcome.ok) continue;
        const { error } = outcome;
        if (error instanceof TimeoutError && !known.has(error) && !isFloating(place)) {
          expect(what, lineOf(entry)).toBe("settle");
          expect(["failAfter", "shield"], lineOf(entry)).toContain(place.statement?.op);
          expect(place.scope.cancelledCaught, lineOf(entry)).toBe(true);
          expect(error.message).toMatch(place.scope.signal.reason.kind === "deadline" ? /took longer|were over/ : /cancel\(\) was called/);
        }
        known.add(error);
      }
    }),
    { numRuns: 1000 },
  );
});
