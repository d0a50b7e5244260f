import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CancelScope,
  currentEffectiveDeadline,
  failAfter,
  moveOnAfter,
  moveOnAt,
  now,
  openNursery,
  sleep,
  sleepUntil,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

interface Level {
  readonly deadline: number;
  readonly isShielded: boolean;
}

/** Small numbers, so that equal instants are common. */
const instant = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
);
const level: fc.Arbitrary<Level> = fc.record({ deadline: instant, isShielded: fc.boolean() });
const nest = fc.array(level, { minLength: 1, maxLength: 6 });

/** Runs `body` in scopes inside one another, the first outermost, and tells how each ended. */
async function inNest(nest: readonly Level[], body: (scopes: readonly CancelScope[]) => Promise<unknown>): Promise<string[]> {
  const scopes: CancelScope[] = [];
  const ends: string[] = [];
  const enter = async (depth: number): Promise<void> => {
    const level = nest[depth];
    if (level === undefined) {
      await body(scopes);
      return;
    }
    const scope = new CancelScope({ deadline: level.deadline, shield: level.isShielded });
    scopes.push(scope);
    try {
      await scope.run(() => enter(depth + 1));
      ends[depth] = scope.cancelledCaught ? "caught" : "passed";
    } catch (error) {
      ends[depth] = "threw";
      throw error;
    }
  };
  await enter(0);
  return ends;
}

/** The earliest deadline from `depth` outwards, up to and with the first shield. */
function effective(nest: readonly Level[], depth: number): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (let i = depth; i >= 0; i--) {
    const { deadline, isShielded } = nest[i] as Level;
    earliest = Math.min(earliest, deadline);
    if (isShielded) break;
  }
  return earliest;
}

/** How each scope ends when the innermost is cancelled at `at`: it catches iff its own deadline has passed and no visible outer one has. */
function endsAt(nest: readonly Level[], at: number): string[] {
  const ends = nest.map(() => "passed");
  for (let i = nest.length - 1; i >= 0; i--) {
    const { deadline, isShielded } = nest[i] as Level;
    const isCancelledOutside = !isShielded && i > 0 && effective(nest, i - 1) <= at;
    if (deadline <= at && !isCancelledOutside) {
      ends[i] = "caught";
      break;
    }
    ends[i] = "threw";
  }
  return ends;
}

test("deadlines nest by minimum, up to a shield, and at each depth that minimum can be read", async () => {
  await fc.assert(
    fc.asyncProperty(nest, fc.integer({ min: -4, max: 0 }), async (nest, startTime) => {
      await simulate(
        () =>
          inNest(nest, async (scopes) => {
            scopes.forEach((scope, depth) => {
              const expected = effective(nest, depth);
              expect(scope.deadline).toBe(nest[depth]?.deadline);
              // At the very instant of a deadline, whether it has been delivered yet is not told here.
              if (expected === now()) return;
              expect(scope.effectiveDeadline).toBe(expected);
              expect(scope.remaining).toBe(expected - now());
              expect(currentEffectiveDeadline(scope)).toBe(expected);
            });
            if (effective(nest, nest.length - 1) > now()) expect(currentEffectiveDeadline()).toBe(effective(nest, nest.length - 1));
          }),
        { startTime },
      );
    }),
  );
});

test("the earliest visible deadline ends a wait, at its very instant; of equal ones the outermost catches; a sleep of the same instant is too late", async () => {
  await fc.assert(
    fc.asyncProperty(nest, fc.integer({ min: 1, max: 9 }), async (nest, until) => {
      const at = effective(nest, nest.length - 1);
      let wokenAt: number | undefined;
      let wasCancelled = false;
      const ends = await simulate(() =>
        inNest(nest, async () => {
          try {
            await sleepUntil(until);
          } catch (error) {
            wasCancelled = true;
            throw error;
          } finally {
            wokenAt = now();
          }
        }),
      );
      const isCancelled = at <= until;
      expect(wasCancelled).toBe(isCancelled);
      expect(wokenAt).toBe(Math.min(at, until));
      expect(ends).toEqual(
        // What is outside the scope that catches goes on.
        isCancelled ? endsAt(nest, at) : nest.map(() => "passed"),
      );
    }),
    { numRuns: 300 },
  );
});

const move = fc.record({ at: fc.integer({ min: 0, max: 12 }), depth: fc.nat(5), to: instant });

test("anyone may move a deadline, at any time: before entry, inside, from another task, also into the past", async () => {
  await fc.assert(
    fc.asyncProperty(nest, fc.array(move, { maxLength: 8 }), async (nest, moves) => {
      const ordered = moves.filter((move) => move.depth < nest.length).sort((a, b) => a.at - b.at);
      const expected = cancelledAt(nest, ordered);
      let wokenAt: number | undefined;
      await simulate(async (root) => {
        root.startSoon(async () => {
          await sleep(0);
          await inNest(
            nest.map(({ isShielded }) => ({ isShielded, deadline: Number.POSITIVE_INFINITY })),
            async (scopes) => {
              nest.forEach(({ deadline }, depth) => {
                (scopes[depth] as CancelScope).deadline = deadline;
              });
              root.startSoon(async () => {
                for (const { at, depth, to } of ordered) {
                  await sleepUntil(at);
                  (scopes[depth] as CancelScope).deadline = to;
                }
              });
              try {
                await sleepUntil(20);
              } finally {
                wokenAt = now();
              }
            },
          );
        });
      });
      expect(wokenAt).toBe(Math.min(20, expected));
    }),
    { numRuns: 300 },
  );
});

/** When the innermost scope is cancelled, if the deadlines are moved so. A deadline of the instant of a move comes first: so does the one it is moved to, if that has passed. */
function cancelledAt(nest: readonly Level[], moves: readonly { at: number; depth: number; to: number }[]): number {
  const now = nest.map((level) => ({ ...level }));
  for (const { at, depth, to } of moves) {
    const due = effective(now, now.length - 1);
    if (due <= at) return due;
    (now[depth] as { deadline: number }).deadline = to;
    if (effective(now, now.length - 1) <= at) return at;
  }
  return effective(now, now.length - 1);
}

test("moveOnAfter(5) around sleep(5) times out", async () => {
  const slept = await simulate(() =>
    moveOnAfter(5, async () => {
      await sleep(5);
      return "slept";
    }),
  );
  expect(slept).toBeUndefined();
});

test("of equal deadlines the outermost wins, in whichever order they were set", async () => {
  const told = await simulate(async () => {
    const outer = new CancelScope({ timeout: 100 });
    const inner = new CancelScope({ timeout: 5 });
    await outer.run(async () => {
      await inner.run(async () => {
        outer.deadline = inner.deadline;
        await sleep(10);
      });
    });
    return [outer.cancelledCaught, inner.cancelledCaught, inner.cancelCalled];
  });
  expect(told).toEqual([true, false, true]);
});

test("a timeout counts from entry, an instant does not", async () => {
  await simulate(async () => {
    const timeout = new CancelScope({ timeout: 5 });
    const deadline = new CancelScope({ deadline: 5 });
    await sleep(100);
    await timeout.run(async () => expect([timeout.deadline, timeout.remaining, currentEffectiveDeadline()]).toEqual([105, 5, 105]));
    await deadline.run(async () => {
      expect(deadline.deadline).toBe(5);
      await sleep(1);
    });
    expect([timeout.cancelledCaught, deadline.cancelledCaught]).toEqual([false, true]);
    expect(now()).toBe(100);
  });
});

test("a deadline set before entry holds from entry on, and replaces a timeout", async () => {
  await simulate(async () => {
    const scope = new CancelScope({ timeout: 5 });
    scope.deadline = 50;
    expect(scope.deadline).toBe(50);
    await scope.run(() => sleep(1_000));
    expect([now(), scope.cancelledCaught]).toEqual([50, true]);
  });
});

test("a deadline that is reached before entry does nothing until the scope is entered", async () => {
  await simulate(async () => {
    const scope = new CancelScope({ deadline: 5 });
    await sleep(10);
    expect(scope.cancelCalled).toBe(false);
    await scope.run(() => sleep(1));
    expect(scope.cancelledCaught).toBe(true);
  });
});

test("a deadline in the past is reported by the next checkpoint, and by each one after it", async () => {
  await simulate(async () => {
    const reached = await moveOnAt(now() - 1, async () => {
      const reached = ["body"];
      for (let i = 0; i < 3; i++)
        await sleep(0).then(
          () => reached.push("slept"),
          () => reached.push("cancelled"),
        );
      return reached;
    });
    expect(reached).toEqual(["body", "cancelled", "cancelled", "cancelled"]);
  });
});

test("moved to Infinity a deadline is none; moved after the end it has no effect", async () => {
  await simulate(async () => {
    const scope = new CancelScope({ timeout: 5 });
    const value = await scope.run(async () => {
      scope.deadline = Number.POSITIVE_INFINITY;
      expect([scope.deadline, scope.effectiveDeadline, scope.remaining]).toEqual([Infinity, Infinity, Infinity]);
      await sleep(1_000);
      return "done";
    });
    expect(value).toBe("done");
    scope.deadline = now() + 1;
    await sleep(10);
    expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([false, false]);
  });
});

test("once cancelled, a scope tells -Infinity and 0, and no later deadline takes that back", async () => {
  await simulate(async () => {
    await openNursery(async (nursery) => {
      nursery.deadline = now() + 1_000;
      nursery.cancel();
      nursery.deadline = now() + 2_000;
      expect([nursery.effectiveDeadline, nursery.remaining, currentEffectiveDeadline()]).toEqual([-Infinity, 0, -Infinity]);
      await moveOnAfter(5, async (inner) => expect(inner.effectiveDeadline).toBe(-Infinity));
    });
    expect(now()).toBe(0);
  });
});

test("a deadline that has passed is told as called, before anything has waited, and stays called when it is moved away", async () => {
  await simulate(async () => {
    const scope = new CancelScope();
    await scope.run(async () => {
      scope.deadline = now() - 1;
      expect(scope.cancelCalled).toBe(true);
      scope.deadline = now() + 100;
      expect(scope.cancelCalled).toBe(true);
      expect(scope.signal.aborted).toBe(true);
    });
  });
});

test("a body that comes to its end in time, or all the same, late, has its value returned, also by failAfter", async () => {
  await simulate(async () => {
    expect(await failAfter(5, async () => "early")).toBe("early");
    const late = await failAfter(5, async () => {
      await sleep(10).catch(() => {});
      return "late";
    });
    expect(late).toBe("late");
  });
});
