import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Cancelled, checkpoint, ErrorGroup, type Nursery, openNursery, park, shield, sleep, sleepForever } from "../../src/index.js";
import { Expectations, type Failure, isAsExpected } from "../support/expected.js";
import { interpret } from "../support/interpret.js";
import type { Place } from "../support/log.js";
import { MODES } from "../support/passing.js";
import { programs } from "../support/programs.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

describe("R2: the first failure of a task or of the body cancels the nursery", () => {
  test("at once, with that failure as the cause of the reason, unless it is cancelled already; the reason never changes", async () => {
    await fc.assert(
      fc.asyncProperty(
        programs({ without: ["float", "drop"] }),
        schedules(),
        fc.constantFrom(...MODES),
        async (program, schedule, mode) => {
          const reasons = new Map<Place, unknown>();
          const watch = (place: Place) => {
            const { aborted, reason } = place.scope.signal;
            if (!aborted) return;
            if (reasons.has(place)) expect(reasons.get(place)).toBe(reason);
            reasons.set(place, reason);
          };
          const seen = new Set<Place>();
          const entered = (place: Place) => seen.add(place);
          const trace = await interpret(program, { schedule, mode, entered, executing: () => seen.forEach(watch) });
          const expectations = new Expectations(trace);
          fc.pre(expectations.isClear);
          for (const place of trace.places) {
            if (place.kind !== "nursery" && place.kind !== "run") continue;
            const { first, failures } = expectations.gathered(place);
            if (first === undefined || first.of.kind === "cleanup") continue;
            const since = trace.cancelledSince.get(place) ?? trace.log.length;
            expect(since).toBeLessThanOrEqual(first.at + 1);
            if (since <= first.at) continue;
            watch(place);
            const reason = reasons.get(place) as Cancelled;
            expect(reason).toBeInstanceOf(Cancelled);
            expect(reason.kind).toBe("failure");
            expect(isAsExpected(reason.cause, failures[0] as Failure)).toBe(true);
          }
        },
      ),
      { numRuns: 800 },
    );
  });

  test("all that waits in it is cancelled with one and the same reason, which names the nursery", async () => {
    const boom = new Error("expected");
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(6), schedules(), async (siblings, failing, schedule) => {
        const caught: unknown[] = [];
        const wait = async () => {
          try {
            await sleepForever();
          } catch (error) {
            caught.push(error);
            throw error;
          }
        };
        const nest = () => openNursery((inner) => void inner.startSoon(wait));
        const fail = async () => {
          await sleep(1);
          throw boom;
        };
        const body = async (nursery: Nursery) => {
          for (let i = 0; i < siblings; i++) nursery.startSoon(i === failing ? fail : i % 2 === 0 ? wait : nest);
          await (failing < siblings ? wait() : fail());
        };
        await expect(simulate(() => openNursery(body, { name: "crew" }), { pick: pickOf(schedule) })).rejects.toBe(boom);
        expect(caught.length).toBe(siblings);
        for (const error of caught) {
          expect(error).toBe(caught[0]);
          expect(error).toBeInstanceOf(Cancelled);
          expect(error).toMatchObject({ kind: "failure", cause: boom, scope: "root > crew" });
        }
      }),
      { numRuns: 200 },
    );
  });

  test("it is on record before anybody hears of the cancellation: what that makes fail comes after it", async () => {
    const boom = new Error("the first");
    const failing: Readonly<Record<string, (nursery: Nursery, error: Error) => Promise<unknown>>> = {
      "an abort listener that spawns a task": async (nursery, error) => {
        nursery.signal.addEventListener("abort", () => void nursery.startSoon(() => Promise.reject(error)));
        await sleepForever();
      },
      "an undo that throws": () =>
        park(() => () => {
          throw second;
        }),
      "a handler that throws": (_, error) => sleepForever().catch(() => Promise.reject(error)),
      "a handler that throws at once, in a nursery of its own": (_, error) =>
        openNursery(() => sleepForever().catch(() => Promise.reject(error))),
      "a cleanup": (nursery, error) => {
        nursery.startSoon((task) => {
          task.defer(() => Promise.reject(error));
          return sleepForever();
        });
        return sleepForever();
      },
    };
    const second = new Error("the second");
    for (const [who, react] of Object.entries(failing)) {
      for (const isFirst of [true, false]) {
        const body = async (nursery: Nursery) => {
          const fail = async () => {
            await sleep(1);
            throw boom;
          };
          if (isFirst) nursery.startSoon(fail);
          nursery.startSoon(() => react(nursery, second));
          if (!isFirst) await fail();
        };
        const error: unknown = await simulate(body).catch((thrown) => thrown);
        expect(error, who).toBeInstanceOf(ErrorGroup);
        expect((error as ErrorGroup).errors, who).toEqual([boom, second]);
      }
    }
  });

  test("later failures are kept, and change nothing about the reason", async () => {
    const errors = [1, 2, 3].map((i) => new Error(`number ${i}`));
    const reasons = new Set<unknown>();
    const outcome = simulate(async (root) => {
      for (const [i, error] of errors.entries()) {
        root.startSoon(async () => {
          await shield(() => sleep(2 * i + 1));
          throw error;
        });
      }
      // Whoever looks between the failures, in the nursery or in a task that is new in it, sees the same.
      for (let i = 0; i < errors.length; i++) {
        await shield(() => sleep(2));
        await checkpoint().catch((reason) => reasons.add(reason));
        root.startSoon(() => checkpoint().catch((reason) => reasons.add(reason)));
      }
      reasons.add(root.signal.reason);
    });
    await expect(outcome).rejects.toMatchObject({ errors });
    expect([...reasons]).toEqual([expect.objectContaining({ kind: "failure", cause: errors[0] })]);
  });
});
