/** So often something is done before the next look at the heap is possible. */
const BATCH = 1_000;

/** Bytes that are still reachable. */
async function heap(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Does something `count` times in batches, and tells how many bytes more are kept than after a first part of it. */
export async function growth(count: number, batch: (size: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 10; i++) await batch(BATCH);
  const before = await heap();
  for (let i = 0; i < count; i += BATCH) await batch(BATCH);
  return (await heap()) - before;
}

/** One byte for each of a million would show. */
export const NOTHING = 1_000_000;
