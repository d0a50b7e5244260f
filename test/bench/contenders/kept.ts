import { FIRST } from "./work.js";

/** The bytes that are still there for each when `one` has been done again and again. */
export async function kept(n: number, heap: () => number, one: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < FIRST; i++) await one();
  const before = heap();
  for (let i = 0; i < n; i++) await one();
  return (heap() - before) / n;
}
