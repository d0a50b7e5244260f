// What the jobs are made of: the same for every contender.

/** Counts what has been done, so that a job which does not do its work is seen. */
export const tally = { done: 0 };

/** The limit of `map` and `forEach`. */
export const LIMIT = 10;
/** How many wait for one lock. */
export const CROWD = 100;
/** How long they would sleep who are cancelled, in ms. Each a little longer: deadlines seldom coincide. */
export const LONG = 1e6;
/** Done before bytes are counted, so that code, caches and tables are there. */
export const FIRST = 2000;

/** What is done with an item: it waits once. */
export async function step(item: number): Promise<number> {
  await undefined;
  return item;
}

/** A child of its own, that has something of its own to give back. */
export function childOf(i: number): () => Promise<number> {
  return async () => {
    await undefined;
    tally.done++;
    return i;
  };
}

/** What is done where nothing comes back. */
export async function child(): Promise<void> {
  await undefined;
  tally.done++;
}

/** Async functions, and not such as return a promise: the library async tells them from functions that take a callback. */
export const TEN = Array.from({ length: 10 }, (_, i) => async () => {
  await undefined;
  return i;
});

/** The first takes one wait, the others two. */
export const THREE = [0, 1, 2].map((i) => async () => {
  await undefined;
  if (i > 0) await undefined;
  return i;
});

const made = new Map<number, readonly number[]>();

export function items(size: number): readonly number[] {
  let list = made.get(size);
  if (list === undefined) {
    list = Array.from({ length: size }, (_, i) => i);
    made.set(size, list);
  }
  return list;
}

export async function often(times: number, job: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) {
    await job();
    tally.done++;
  }
}

/** A hundred who want the same thing, again and again. */
export async function crowd(turns: number, turn: () => Promise<unknown>): Promise<void> {
  const worker = async () => {
    for (let i = 0; i < turns / CROWD; i++) await turn();
  };
  await Promise.all(Array.from({ length: CROWD }, worker));
}

/** What one turn does while it has the lock. */
export async function inside(): Promise<void> {
  await undefined;
  tally.done++;
}
