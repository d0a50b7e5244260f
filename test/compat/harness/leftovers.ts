import { setImmediate, setTimeout } from "node:timers/promises";
import type { ServerState, Site } from "../servers/site.js";

const LOOK_FIRST_AFTER = 4;
const LOOK_AT_LEAST_EVERY = 64;

/** What is open at an instant: in this process, and at the servers. */
export interface Open extends ServerState {
  /** What keeps this process alive, by kind. */
  readonly resources: readonly string[];
}

export async function open(site: Pick<Site, "state">): Promise<Open> {
  const state = await site.state();
  return { ...state, resources: process.getActiveResourcesInfo() };
}

export interface Looking {
  /** Connections that no request has come on are those of a pool. */
  readonly isPooled: boolean;
  /** What is not waited for. */
  readonly isExpected: (what: string) => boolean;
  /** Milliseconds. */
  readonly patience: number;
}

/** What is open that was not open before, once it has had the time to go. */
export async function leftSince(
  before: Open,
  site: Pick<Site, "state">,
  { isPooled, isExpected, patience }: Looking,
): Promise<readonly string[]> {
  const end = Date.now() + patience;
  for (let wait = LOOK_FIRST_AFTER; ; wait = Math.min(2 * wait, LOOK_AT_LEAST_EVERY)) {
    const left = excess(before, await open(site), isPooled);
    if (left.every(isExpected) || Date.now() > end) return left;
    await setTimeout(wait);
  }
}

function connectionsOf({ connections, unused }: Open, isPooled: boolean): number {
  return isPooled ? connections - unused : connections;
}

function excess(before: Open, now: Open, isPooled: boolean): readonly string[] {
  const left: string[] = [];
  const known = [...before.resources];
  for (const resource of now.resources) {
    const at = known.indexOf(resource);
    if (at === -1) left.push(resource);
    else known.splice(at, 1);
  }
  const connections = connectionsOf(now, isPooled) - connectionsOf(before, isPooled);
  if (connections > 0) left.push(`${connections} connection(s) at the server`);
  if (now.waiting > before.waiting) left.push(`${now.waiting - before.waiting} operation(s) at the server`);
  return left;
}

const COLLECTIONS = 8;

/** Collects garbage, after a turn of the event loop: what the running turn holds is not collected. */
export async function collectOnce(): Promise<void> {
  await setImmediate();
  globalThis.gc?.();
}

/** Collects garbage until `isEnough`, several times at most, with turns of the event loop in between for what is done at a collection. */
export async function collect(isEnough: () => boolean): Promise<void> {
  for (let i = 0; i < COLLECTIONS && !isEnough(); i++) {
    await collectOnce();
    if (i > COLLECTIONS / 2) await setTimeout(LOOK_FIRST_AFTER);
  }
}
