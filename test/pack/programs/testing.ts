import { sleep } from "creche";
import { explore, recordHistory, simulate } from "creche/testing";

export const slept: number = await simulate(async (sim) => {
  await sleep(60_000, sim);
  return sim.now();
});

export const others = [explore, recordHistory] as const;
