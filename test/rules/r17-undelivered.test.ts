import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelScope, checkpoint, ErrorGroup, openNursery, shield, sleep, type Task, TaskCancelledError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";

interface Work {
  readonly ms: number;
  readonly result: "sync" | "async" | "both" | "nothing";
  readonly isJoined: "never" | "at once" | "when done";
}

const work: fc.Arbitrary<Work> = fc.record({
  ms: fc.integer({ min: 0, max: 6 }),
  result: fc.constantFrom("sync", "async", "both", "nothing"),
  isJoined: fc.constantFrom("never", "at once", "when done"),
});
type End = "normally" | "cancelled" | "failed" | "cancelled outside";
const end = fc.constantFrom<End>("normally", "cancelled", "failed", "cancelled outside");

/** A result that notes how it was disposed. */
function resource(i: number, { result }: Work, disposed: string[]): object {
  const sync = { [Symbol.dispose]: () => void disposed.push(`${i} sync`) };
  const later = {
    [Symbol.asyncDispose]: async () => {
      await checkpoint();
      disposed.push(`${i} async`);
    },
  };
  return { ...(result === "sync" || result === "both" ? sync : {}), ...(result === "async" || result === "both" ? later : {}) };
}

test("a result that nobody has received is disposed, once, iff its nursery was cancelled; asynchronously where it can be", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(work, { maxLength: 8 }), end, async (all, end) => {
      const disposed: string[] = [];
      const received = new Set<unknown>();
      const results = all.map((work, i) => resource(i, work, disposed));
      const tasks: Task[] = [];
      await simulate(async () => {
        const outer = new CancelScope();
        await outer.run(() =>
          openNursery(async (nursery) => {
            all.forEach(({ ms, isJoined }, i) => {
              const task = nursery.startSoon(async () => {
                await shield(() => sleep(ms));
                return results[i];
              });
              tasks.push(task);
              const receive = () =>
                task.join().then(
                  (value) => received.add(value),
                  () => {},
                );
              if (isJoined === "at once") nursery.startSoon(() => shield(receive));
              if (isJoined === "when done") nursery.startSoon(() => shield(() => sleep(ms + 1).then(receive)));
            });
            await sleep(3);
            if (end === "cancelled") nursery.cancel();
            if (end === "cancelled outside") outer.cancel();
            if (end === "failed") throw new Error("failed");
          }).catch(() => {}),
        );
      });
      const isCancelled = end !== "normally";
      const expected = all.flatMap(({ result, isJoined }, i) => {
        if (result === "nothing" || isJoined !== "never" || !isCancelled) return [];
        return [`${i} ${result === "sync" ? "sync" : "async"}`];
      });
      expect([...disposed].sort()).toEqual(expected);
      expect(results.map((result) => received.has(result))).toEqual(all.map(({ isJoined }) => isJoined !== "never"));
    }),
    { numRuns: 200 },
  );
});

test("they are disposed from the last that ended to the first, shielded, before the other cleanups; what that throws joins the errors", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const broken = new Error("broken");
    const failed = new Error("failed");
    const outcome = await openNursery(async (nursery) => {
      nursery.defer(() => void log.push("cleanup"));
      for (const ms of [2, 1, 3]) {
        nursery.startSoon(async () => {
          await shield(() => sleep(ms));
          return {
            [Symbol.asyncDispose]: async () => {
              await sleep(1);
              log.push(`from ${ms}`);
              if (ms === 1) throw broken;
            },
          };
        });
      }
      await sleep(0);
      throw failed;
    }).catch((error: unknown) => error);
    expect(log).toEqual(["from 3", "from 2", "from 1", "cleanup"]);
    expect(outcome).toBeInstanceOf(ErrorGroup);
    expect((outcome as ErrorGroup).errors).toEqual([failed, broken]);
  });
});

test("a result that was disposed cannot be joined any more, and the error says why", async () => {
  await simulate(async () => {
    let kept: Task | undefined;
    await openNursery(async (nursery) => {
      kept = nursery.startSoon(() => ({ [Symbol.dispose]: () => {} }));
      await sleep(1);
      nursery.cancel();
    });
    const error = await kept?.join().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TaskCancelledError);
    expect((error as Error).message).toMatch(
      /#1 has ended, and its result was disposed, because its nursery was cancelled, so it has no result to join$/,
    );
  });
});

test("the value that a cancelled start() drops is disposed", async () => {
  await simulate(async (nursery) => {
    const log: string[] = [];
    const scope = new CancelScope();
    await scope.run(async () => {
      const starting = nursery.start<Disposable>(async (_task, started) => {
        await shield(() => sleep(2));
        started({ [Symbol.dispose]: () => void log.push("disposed") });
        await checkpoint();
        log.push("went on");
      });
      nursery.startSoon(() => sleep(1).then(() => scope.cancel()));
      await starting;
      log.push("got it");
    });
    expect([log, scope.cancelledCaught]).toEqual([["disposed"], true]);
  });
});

test("the value of a cancelled start() whose task meets no checkpoint is returned, and not disposed", async () => {
  await simulate(async (nursery) => {
    const log: string[] = [];
    const scope = new CancelScope();
    const value = { [Symbol.dispose]: () => void log.push("disposed") };
    const got = await scope.run(async () => {
      scope.cancel();
      return nursery.start<Disposable>((_task, started) => started(value));
    });
    expect(got).toBe(value);
    expect(log).toEqual([]);
  });
});

test("the value of start() belongs to its caller, whatever becomes of the nursery", async () => {
  await simulate(async () => {
    const log: string[] = [];
    await openNursery(async (nursery) => {
      await nursery.start<Disposable>(async (_task, started) => {
        started({ [Symbol.dispose]: () => void log.push("disposed") });
        await sleep(5);
      });
      nursery.cancel();
    });
    expect(log).toEqual([]);
  });
});
