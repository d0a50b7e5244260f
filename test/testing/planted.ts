import { checkpoint, Lock, openNursery } from "../../src/index.js";

async function checkpoints(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await checkpoint();
}

/** Two tasks count under a lock, and one without. It fails if that one comes between the reading and the writing of another. */
export async function lostUpdate(): Promise<void> {
  const lock = new Lock();
  let value = 0;
  const update = async () => {
    const old = value;
    await checkpoint();
    value = old + 1;
  };
  const locked = async () => {
    await checkpoint();
    await lock.run(update);
  };
  await openNursery((nursery) => {
    nursery.startSoon(locked, { name: "A" });
    nursery.startSoon(locked, { name: "B" });
    nursery.startSoon(
      async () => {
        await checkpoints(7);
        await update();
      },
      { name: "C" },
    );
  });
  if (value !== 3) throw new Error(`an update is lost: ${value} of 3`);
}

/** Two tasks take two locks in opposite orders. */
export async function lockOrder(): Promise<void> {
  const p = new Lock();
  const q = new Lock();
  const both = async (first: Lock, second: Lock) => {
    await first.acquire();
    await checkpoint();
    await second.acquire();
    second.release();
    first.release();
  };
  await openNursery((nursery) => {
    nursery.startSoon(() => both(p, q), { name: "A" });
    nursery.startSoon(
      async () => {
        await checkpoints(6);
        await both(q, p);
      },
      { name: "B" },
    );
    nursery.startSoon(() => checkpoints(3), { name: "C" });
  });
}

/** It fails if all `k` steps of one task come between two steps of another, one certain of them. B comes first, so that one preemption is enough. */
export function ordering(k: number): () => Promise<void> {
  return async () => {
    let a = 0;
    await openNursery((nursery) => {
      nursery.startSoon(
        async () => {
          await checkpoint();
          const start = a;
          await checkpoint();
          if (start === 0 && a === k) throw new Error(`all ${k} steps of A came between two of B`);
          await checkpoint();
        },
        { name: "B" },
      );
      nursery.startSoon(
        async () => {
          for (let i = 0; i < k; i++) {
            await checkpoint();
            a++;
          }
        },
        { name: "A" },
      );
      nursery.startSoon(() => checkpoints(4), { name: "C" });
    });
  };
}
