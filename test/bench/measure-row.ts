import { careful } from "./contenders/careful.js";
import type { ContenderName } from "./contenders/load.js";
import type { Measurements, Samples } from "./result.js";
import { isBytes, type Row } from "./rows.js";
import { runOrder } from "./run-order.js";

const PAIRS = 9;
/** ms of CPU for the pairs: enough for nine of all that is written by hand, not for nine of every peer. */
const OWN = 60_000;
const PEER = 3000;

/** Measures a row, in a process for each: those written by hand with creche; scopes that find themselves; after all of creche; each peer. */
export async function measureRow(node: string, row: Row, isMixed: boolean): Promise<Omit<Measurements, "python">> {
  const weighed = isBytes(row.job);
  const hasCareful = weighed ? careful.bytes?.[row.job as "idle"] !== undefined : careful.timed[row.job as "spawn"] !== undefined;
  /** Who cannot do it at this size: not tried again. */
  const known: Record<string, string> = {};
  const measure = async (names: readonly ContenderName[], essential?: ContenderName, mixed = false, time = OWN): Promise<Samples> => {
    const present = names.filter((name) => known[name] === undefined);
    const first = essential === undefined ? {} : { essential: present.indexOf(essential) };
    const entries = present.map((name) => ({ name, size: row.size }));
    const { samples, failures } = await runOrder(node, { job: row.job, entries, isMixed: mixed, pairs: PAIRS, time, ...first });
    const result: Record<string, readonly number[] | string> = { ...known };
    for (const [i, name] of present.entries()) {
      const why = failures[i];
      if (why !== undefined && name !== essential) known[name] = why;
      result[name] = why ?? samples[i] ?? [];
    }
    return result;
  };
  // Bytes are not disturbed by who came before, but a process of its own for each is the sure way.
  const own = weighed
    ? { ...(await measure(["floor"])), ...(hasCareful ? await measure(["careful"]) : {}), ...(await measure(["creche"])) }
    : await measure(hasCareful ? ["floor", "careful", "creche"] : ["floor", "creche"]);
  const others: readonly ContenderName[] = weighed ? [] : ["floor"];
  const ambient = await measure(["ambient", ...others], "ambient");
  const mixed = isMixed && !weighed ? { mixed: await measure(["creche", "floor"], "creche", true) } : {};
  const peers: Measurements["peers"][number][] = [];
  for (const name of row.peers) {
    peers.push({ name, samples: await measure(weighed ? [name] : [name, "creche", "floor"], name, false, PEER) });
  }
  return { own, ambient, ...mixed, ...(await growth(node, row)), peers };
}

async function growth(node: string, { job, size, goal }: Row): Promise<Pick<Measurements, "growth">> {
  if (goal?.kind !== "growth") return {};
  const entries = [
    { name: "creche", size },
    { name: "creche", size: goal.from },
  ] as const;
  const { samples } = await runOrder(node, { job, entries, isMixed: false, pairs: PAIRS, time: OWN });
  return { growth: { creche: samples[0] ?? [], fewer: samples[1] ?? [] } };
}
