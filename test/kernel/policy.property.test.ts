import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  type CancelPolicy,
  CancelScope,
  collect,
  failFast,
  firstSuccess,
  isCancellation,
  type JoinPolicy,
  leaves,
  type Nursery,
  openNursery,
  type SettledTask,
  shield,
  sleep,
  type Task,
  TaskCancelledError,
  type TaskOutcome,
  UsageError,
  until,
} from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** What one task does: it waits, and ends; and what it does if it is cancelled while it waits. */
interface Attempt {
  readonly ms: number;
  readonly end: "value" | "resource" | "failure" | "own cancel";
  readonly ifCancelled: "end" | "clean up" | "fail" | "value" | "resource";
  readonly background: boolean;
  readonly isJoined: boolean;
}

interface Program {
  readonly attempts: readonly Attempt[];
  readonly body: { readonly ms: number; readonly fails: boolean };
  /** When the nursery is cancelled by its own `cancel()`, and when from outside. */
  readonly cancelledAt: number | undefined;
  readonly outsideAt: number | undefined;
}

const times = fc.nat({ max: 12 });
const programs: fc.Arbitrary<Program> = fc.record({
  attempts: fc.array(
    fc.record<Attempt>({
      ms: times,
      end: fc.constantFrom("value", "resource", "failure", "own cancel"),
      ifCancelled: fc.constantFrom("end", "clean up", "fail", "value", "resource"),
      background: fc.nat({ max: 5 }).map((n) => n === 0),
      isJoined: fc.nat({ max: 4 }).map((n) => n === 0),
    }),
    { maxLength: 6 },
  ),
  body: fc.record({ ms: times, fails: fc.nat({ max: 4 }).map((n) => n === 0) }),
  cancelledAt: fc.option(times, { nil: undefined, freq: 2 }),
  outsideAt: fc.option(times, { nil: undefined, freq: 2 }),
});

type Ending = { readonly value: unknown } | { readonly error: unknown };

/** What has been seen of one run. */
class Seen {
  /** What the policy was told, in order: the task, how it ended, and what the policy said to that. */
  readonly told: { readonly i: number; readonly outcome: TaskOutcome; readonly answer: string }[] = [];
  /** What failed that the policy is not asked about, in order: the body, and background tasks of a policy with a result. */
  readonly own: unknown[] = [];
  readonly made = new Map<object, number>();
  readonly joined = new Set<unknown>();
  readonly disposed: object[] = [];
  readonly tasks: Task[] = [];
  bodyValue: unknown;
  wasCancelledOutside = false;
  ending: Ending | undefined;
}

type Make = (seen: Seen) => CancelPolicy | JoinPolicy | undefined;

async function play({ attempts, body, cancelledAt, outsideAt }: Program, schedule: number, make: Make): Promise<Seen> {
  const seen = new Seen();
  const policy = make(seen);
  const isAsked = policy !== undefined && policy.result === undefined;
  const resource = (i: number) => {
    const made = { [Symbol.dispose]: () => void seen.disposed.push(made) };
    seen.made.set(made, i);
    return made;
  };
  const failure = (i: number) => new Error(`failure of ${i}`);
  const attempt =
    ({ ms, end, ifCancelled, background }: Attempt, i: number) =>
    async (task: Task) => {
      const fails = (error: unknown) => {
        if (background && !isAsked) seen.own.push(error);
        throw error;
      };
      try {
        await sleep(ms);
      } catch (error) {
        if (ifCancelled === "clean up") await shield(() => sleep(3));
        if (ifCancelled === "fail") fails(failure(i));
        if (ifCancelled === "value") return i;
        if (ifCancelled === "resource") return resource(i);
        throw error;
      }
      if (end === "failure") fails(failure(i));
      if (end === "resource") return resource(i);
      if (end === "value") return i;
      task.cancel();
      return sleep(1);
    };
  await simulate(
    async () => {
      const outer = new CancelScope(outsideAt === undefined ? {} : { timeout: outsideAt });
      await outer
        .run(async () => {
          try {
            const value = await openNursery(
              async (nursery: Nursery) => {
                if (cancelledAt !== undefined)
                  nursery.startSoon(() => sleep(cancelledAt).then(() => nursery.cancel()), { background: true });
                attempts.forEach((each, i) => {
                  const task = nursery.startSoon(attempt(each, i), { name: String(i), background: each.background });
                  seen.tasks.push(task);
                  if (each.isJoined) {
                    const joining = () =>
                      task.join().then(
                        (value) => seen.joined.add(value),
                        () => {},
                      );
                    nursery.startSoon(() => shield(joining), { background: true });
                  }
                });
                await sleep(body.ms);
                if (body.fails) {
                  seen.own.push(new Error("failure of the body"));
                  throw seen.own.at(-1);
                }
                seen.bodyValue = "body";
                return "body";
              },
              (policy === undefined ? {} : { policy }) as { policy: CancelPolicy },
            );
            seen.ending = { value };
          } catch (error) {
            seen.ending = { error };
            seen.wasCancelledOutside = isCancellation(error);
            throw error;
          }
        })
        .catch(() => {});
      // R1: nothing of it goes on.
      for (const task of seen.tasks) expect(task.outcome).toBeDefined();
    },
    { pick: pickOf(schedule) },
  );
  return seen;
}

/** A policy that notes what it is told, and says; but for the background tasks that are there for the test alone. */
function noting<P extends CancelPolicy | JoinPolicy>(policy: P, { told }: Seen): P {
  return {
    ...policy,
    onSettled(task: SettledTask) {
      const answer = policy.onSettled(task);
      if (/^\d+$/.test(task.name)) told.push({ i: Number(task.name), outcome: task.outcome, answer });
      return answer;
    },
    ...(policy.result === undefined ? {} : { result: () => policy.result?.() }),
    ...("keeps" in policy ? { keeps: (task: SettledTask) => (policy as JoinPolicy).keeps?.(task) } : {}),
  };
}

function errorsOf(told: Seen["told"]): unknown[] {
  return told.flatMap(({ outcome }) => (outcome.state === "failed" ? [outcome.error] : []));
}

function firstValueOf(told: Seen["told"]): { readonly value: unknown } | undefined {
  return told.map(({ outcome }) => outcome).find((outcome) => outcome.state === "done");
}

/** The resources that a value hands on. */
function handedOn(value: unknown): Set<unknown> {
  if (!Array.isArray(value)) return new Set([value]);
  return new Set(value.map((task: SettledTask) => (task.outcome.state === "done" ? task.outcome.value : undefined)));
}

const policies: Record<string, Make> = {
  "failFast()": (seen) => noting(failFast(), seen),
  "collect()": (seen) => noting(collect(), seen),
  "firstSuccess()": (seen) => {
    const policy = firstSuccess();
    return noting(
      {
        onSettled: (task: SettledTask) => policy.onSettled(task),
        result: () => policy.result(),
        keeps: (task: SettledTask) => policy.keeps?.(task) === true,
      },
      seen,
    );
  },
  "until()": (seen) => {
    let values = 0;
    return noting(
      until(({ outcome }) => outcome.state === "done" && ++values === 2),
      seen,
    );
  },
};

describe.each(Object.entries(policies))("%s, in random programs under random schedules,", (name, make) => {
  const check = (what: (program: Program, seen: Seen) => void) =>
    fc.assert(
      fc.asyncProperty(programs, schedules(), async (program, schedule) => what(program, await play(program, schedule, make))),
      { numRuns: 300 },
    );

  test("is told of each task, once, as it has ended; of one in the background only if it has no result of its own", async () => {
    await check(({ attempts }, { told, tasks }) => {
      const expected = attempts.flatMap(({ background }, i) => (background && hasResult(name) ? [] : [i]));
      expect(told.map(({ i }) => i).sort((a, b) => a - b)).toEqual(expected);
      for (const { i, outcome } of told) {
        const last = (tasks[i] as Task).outcome;
        expect(outcome).toEqual(last);
      }
    });
  });

  test("has the nursery end as it says, unless something else in it failed, or it was cancelled from outside", async () => {
    await check((_program, { told, own, ending, wasCancelledOutside, bodyValue }) => {
      // What the tasks throw is the nursery's to tell, unless it is the business of a policy that has a result.
      const failures = hasResult(name) ? own : [...own, ...errorsOf(told)];
      if (ending === undefined) throw new Error("it did not end");
      if (wasCancelledOutside) {
        expect(failures).toEqual([]);
        expect(ending).toEqual({ error: expect.any(Cancelled) });
      } else if (own.length > 0) {
        expect(new Set(leaves((ending as { error: unknown }).error))).toEqual(new Set(failures));
      } else expect(ending).toEqual(endingOf(name, told, bodyValue));
    });
  });

  test("every resource is received by one who joined it or with the result, or else disposed, if the nursery was cancelled or says so; once", async () => {
    await check((_program, { made, disposed, joined, ending, told }) => {
      const received = ending !== undefined && "value" in ending ? handedOn(ending.value) : new Set();
      const isDropped = (resource: object) => !joined.has(resource) && !received.has(resource);
      expect(new Set(disposed).size).toBe(disposed.length);
      for (const resource of disposed) expect(isDropped(resource)).toBe(true);
      // A nursery that was not cancelled leaves alone what it has no result for.
      const wasCancelled = told.some(({ answer }) => answer === "cancel");
      if (wasCancelled) expect(disposed).toHaveLength([...made.keys()].filter(isDropped).length);
    });
  });
});

function hasResult(name: string): boolean {
  return name === "firstSuccess()" || name === "until()";
}

/** What a nursery comes to, by what its policy was told: written without a look at the policies. */
function endingOf(name: string, told: Seen["told"], bodyValue: unknown): unknown {
  const errors = errorsOf(told);
  const thrown = errors.length === 1 ? { error: errors[0] } : { error: expect.objectContaining({ name: "ErrorGroup", errors }) };
  switch (name) {
    case "failFast()":
    case "collect()":
      return errors.length > 0 ? thrown : { value: bodyValue };
    case "firstSuccess()": {
      const first = firstValueOf(told);
      if (first !== undefined) return { value: first.value };
      if (errors.length > 0) return thrown;
      return { error: expect.any(told.length > 0 ? TaskCancelledError : UsageError) };
    }
    default:
      return { value: told.map(({ outcome }) => expect.objectContaining({ outcome })) };
  }
}

test("failFast() and no policy at all are the same, in random programs under random schedules", async () => {
  await fc.assert(
    fc.asyncProperty(programs, schedules(), async (program, schedule) => {
      const [one, two] = [await play(program, schedule, failFast), await play(program, schedule, () => undefined)];
      const tellable = ({ tasks, ending, disposed, made }: Seen) => ({
        states: tasks.map((task) => task.state),
        ending: ending !== undefined && "error" in ending ? leaves(ending.error).map(String) : typeof ending?.value,
        disposed: disposed.map((each) => made.get(each)),
      });
      expect(tellable(one)).toEqual(tellable(two));
    }),
    { numRuns: 300 },
  );
});
