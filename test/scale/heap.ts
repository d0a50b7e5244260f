/** So often something is done before the next look at the heap is possible. */
const BATCH = 1_000;

/** Bytes that are still reachable. */
async function heap(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** One byte for each of a million would show. */
export const NOTHING = 1_000_000;

const ROUNDS = 3;

/**
 * Does something `count` times in batches, and tells how many bytes more are kept than after a first part of it: the least of some rounds, of which one is
 * enough if that is nothing. What is kept grows in each of them; what the engine compiles, or is late to collect, does not.
 */
export async function growth(count: number, batch: (size: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 10; i++) await batch(BATCH);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && least >= NOTHING; round++) {
    const before = await heap();
    for (let i = 0; i < count; i += BATCH) await batch(BATCH);
    least = Math.min(least, (await heap()) - before);
  }
  return least;
}
