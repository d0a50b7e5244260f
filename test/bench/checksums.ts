import { checkpoint, Lock, moveOnAfter, openNursery, sleep } from "../../src/index.js";
import { Random } from "../../src/testing/engine/random.js";
import { Session } from "../../src/testing/engine/session.js";
import { type Strategy, searchOf } from "../../src/testing/search/strategy.js";
import type { Sim, SimBody } from "../../src/testing/sim.js";
import { lockOrder, lostUpdate, ordering } from "../testing/planted.js";

// Prints a checksum of some thousand runs, of fixed programs under fixed schedules. It is the same on every platform; `node dist/test/bench/checksums.js`, or another's name.

/** Some tasks that take locks, sleep and give up. */
const mixed = (seed: number) => async (sim: Sim) => {
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
const mixedPrograms = Array.from({ length: 20 }, (_, seed) => mixed(seed));
const kinds: readonly Strategy[] = [{ kind: "portfolio" }, { kind: "random", seed: 7 }, { kind: "exhaustive", reduce: true }];

async function sumOf(programs: readonly SimBody[], ambient: boolean): Promise<string> {
  let sum = 0x811c9dc5;
  let runs = 0;
  let steps = 0;
  for (const body of programs) {
    for (const strategy of kinds) {
      const session = await Session.open("checksums", body, { ambient, timeRaces: true, leaks: { handles: false } }, true);
      const search = searchOf(strategy);
      for (let i = 0; i < 40; i++) {
        const scheduler = search.next();
        if (scheduler === undefined) break;
        const { trace, finding } = await session.trial(scheduler);
        search.ended(trace);
        for (const value of [trace.checksum, finding?.kind.length ?? 0]) sum = Math.imul(sum ^ value, 0x01000193);
        runs++;
        steps += trace.length;
      }
      session.close();
    }
  }
  return `${runs} runs, ${steps} steps: ${(sum >>> 0).toString(16)}`;
}

console.log(`scopes passed: ${await sumOf(mixedPrograms, false)}`);
// Where no scope follows the code, as in browsers, these programs do not run.
const { AsyncContext, process } = globalThis as { AsyncContext?: unknown; process?: unknown };
if (AsyncContext !== undefined || process !== undefined) {
  console.log(`scopes ambient: ${await sumOf([lostUpdate, lockOrder, ordering(12), ...mixedPrograms], true)}`);
}
