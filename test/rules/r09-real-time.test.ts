import fc from "fast-check";
import { expect, test } from "vitest";
import { failAfter, moveOnAfter, moveOnAt, now, run, sleep, sleepUntil, TimeoutError } from "../../src/index.js";

const delay = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.double({ min: 0, max: 12, noNaN: true }));

test("in real time no sleep wakes early, however many there are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(delay, { minLength: 1, maxLength: 20 }), async (delays) => {
      const early: string[] = [];
      await run(async (nursery) => {
        for (const ms of delays) {
          nursery.startSoon(async () => {
            const due = performance.now() + ms;
            await sleep(ms);
            if (performance.now() < due) early.push(`sleep(${ms})`);
            const until = now() + ms;
            await sleepUntil(until);
            if (performance.now() < until) early.push(`sleepUntil(now() + ${ms})`);
          });
        }
      });
      expect(early).toEqual([]);
    }),
    { numRuns: 15 },
  );
});

test("in real time sleepers wake in the order of their instants, those of one instant in the order in which they began", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }), async (offsets) => {
      const woken: number[] = [];
      let isInTime = true;
      await run(async (nursery) => {
        const begun = now() + 10;
        offsets.forEach((ms, i) => {
          nursery.startSoon(async () => {
            const sleeping = sleepUntil(begun + ms);
            // A machine that was held up until now has made checkpoints of the sleeps, which have no instant.
            isInTime &&= now() < begun;
            await sleeping;
            woken.push(i);
          });
        });
      });
      fc.pre(isInTime);
      const expected = offsets.map((ms, i) => ({ ms, i })).sort((a, b) => a.ms - b.ms);
      expect(woken).toEqual(expected.map(({ i }) => i));
    }),
    { numRuns: 15 },
  );
});

test("in real time no deadline comes early", async () => {
  await fc.assert(
    fc.asyncProperty(delay, async (ms) => {
      await run(async () => {
        let begun = now();
        await moveOnAfter(ms, () => sleep(1_000));
        expect(now() - begun).toBeGreaterThanOrEqual(ms);
        begun = now();
        await moveOnAt(begun + ms, () => sleep(1_000));
        expect(now() - begun).toBeGreaterThanOrEqual(ms);
        begun = now();
        await expect(failAfter(ms, () => sleep(1_000))).rejects.toBeInstanceOf(TimeoutError);
        expect(now() - begun).toBeGreaterThanOrEqual(ms);
      });
    }),
    { numRuns: 15 },
  );
});
