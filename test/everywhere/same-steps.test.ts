import { expect, test } from "vitest";
import { checkpoint, Lock, moveOnAfter, openNursery, sleep } from "../../src/index.js";
import { Random } from "../../src/testing/engine/random.js";
import { type Strategy, searchOf } from "../../src/testing/search/strategy.js";
import type { Sim, SimBody } from "../../src/testing/sim.js";
import { runsOf } from "../testing/support.js";

// One schedule is one sequence of steps, on every runtime: so this sum is a constant. Whoever changes what a step is, or which schedules a strategy tries,
// changes it; a runtime must not.

/** Some tasks that take locks, sleep and give up. */
const programOf = (seed: number) => async (sim: Sim) => {
  const random = new Random(seed);
  const locks = [new Lock(), new Lock()] as const;
  await openNursery((nursery) => {
    for (let who = 0; who < 4; who++) {
      const acts = Array.from({ length: 6 }, () => random.below(4));
      nursery.startSoon(
        async (task) => {
          for (const act of acts) {
            if (act === 0) await sleep(sim.choose(4), task);
            else if (act === 1) await checkpoint(task);
            else await moveOnAfter(3, (scope) => (locks[act - 2] as Lock).run(() => sleep(who, scope), scope), task);
          }
        },
        { name: `t${who}` },
      );
    }
  }, sim);
};
const programs: readonly SimBody[] = Array.from({ length: 20 }, (_, seed) => programOf(seed));
const strategies: readonly Strategy[] = [{ kind: "portfolio" }, { kind: "random", seed: 7 }, { kind: "exhaustive", reduce: true }];

async function sumOf(ambient: boolean): Promise<string> {
  let sum = 0x811c9dc5;
  let runs = 0;
  let steps = 0;
  for (const body of programs) {
    for (const strategy of strategies) {
      const options = { ambient, timeRaces: true, leaks: { handles: false } };
      const all = await runsOf(
        body,
        searchOf(strategy),
        ({ trace, finding }) => {
          for (const value of [trace.checksum, finding?.kind.length ?? 0]) sum = Math.imul(sum ^ value, 0x01000193);
          steps += trace.length;
        },
        40,
        options,
      );
      runs += all.runs;
    }
  }
  return `${runs} runs, ${steps} steps: ${(sum >>> 0).toString(16)}`;
}

test.each([
  ["and nothing is ambient", false],
  ["and the ambient scope follows the code, where there is one", true],
] as const)("2,400 runs of random programs take these steps, where scopes are passed %s", async (_, ambient) => {
  expect(await sumOf(ambient)).toBe("2400 runs, 99087 steps: 1262dd2b");
});
