import type { Kit } from "../harness/probe.js";

/** A pool of connections that somebody else holds all of, another one whose server is not there, and how the connections are given back. */
export interface CrowdedPool<P> {
  readonly pool: P;
  readonly nowhere: P;
  readonly free: () => void;
}

/** Takes the one connection that `pool` has. */
export async function crowdedPool<P extends { end(): Promise<unknown> }>(
  kit: Kit,
  pool: P,
  nowhere: P,
  take: (pool: P) => Promise<{ release(): unknown }>,
): Promise<CrowdedPool<P>> {
  kit.defer(() => Promise.all([pool.end(), nowhere.end()]));
  const taken = await take(pool);
  let isTaken = true;
  const free = () => {
    if (isTaken) taken.release();
    isTaken = false;
  };
  kit.defer(free);
  return { pool, nowhere, free };
}
