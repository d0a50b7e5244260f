import fc from "fast-check";
import { expect, test } from "vitest";
import { checkpoint, ErrorGroup, type Nursery, openNursery, shield, sleep, type Task } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

interface Failing {
  readonly who: "task" | "background" | "started";
  /** When it fails, whatever is cancelled meanwhile. */
  readonly after: number;
  readonly error: number;
  /** Whether its cleanup is what fails. */
  readonly late: boolean;
}

const failings = fc.array(
  fc.record({
    who: fc.constantFrom("task", "background", "started"),
    after: fc.integer({ min: 1, max: 6 }),
    error: fc.nat(5),
    late: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
) as fc.Arbitrary<readonly Failing[]>;

const ERRORS = Array.from({ length: 6 }, (_, i) => new Error(`number ${i}`));

async function start(nursery: Nursery, { who, after, error, late }: Failing): Promise<void> {
  const fail = () => {
    throw ERRORS[error];
  };
  const work = async (task: Task) => {
    if (late) task.defer(fail);
    await shield(() => sleep(after));
    if (!late) fail();
  };
  if (who !== "started") nursery.startSoon(work, { background: who === "background" });
  else {
    await nursery.start((task, started) => {
      started(undefined);
      return work(task);
    });
  }
}

/** The errors of those that fail, by the time of that; of one time in the order of their starts. Each error once. */
function inOrder(failing: readonly Failing[]): Error[] {
  const byTime = [...failing].sort((a, b) => a.after - b.after);
  return [...new Set(byTime.map(({ error }) => ERRORS[error] as Error))];
}

test("R3: a group has its errors in the order in which they happened, the same object once; a single error comes as it is", async () => {
  await fc.assert(
    fc.asyncProperty(failings, fc.boolean(), async (failing, isGrouping) => {
      const nursery = openNursery;
      const outcome = simulate(
        () =>
          nursery(
            async (inner) => {
              // All are under way before the first fails.
              await shield(() => Promise.all(failing.map((one) => start(inner, one))));
              await checkpoint();
            },
            { errors: isGrouping ? "group" : "collapse" },
          ),
        {},
      );
      const error: unknown = await outcome.then(
        () => undefined,
        (thrown) => thrown,
      );
      const expected = inOrder(failing);
      if (expected.length === 1 && !isGrouping) expect(error).toBe(expected[0]);
      else {
        expect(error).toBeInstanceOf(ErrorGroup);
        expect((error as ErrorGroup).errors).toEqual(expected);
        expect((error as ErrorGroup).errors.every((one, i) => one === expected[i])).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
});
