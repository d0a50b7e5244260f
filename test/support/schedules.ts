import fc from "fast-check";

/** In which order what is ready goes on: 0 oldest first, 1 newest first, any other number a random order of its own. */
export type Schedule = number;

export function schedules(): fc.Arbitrary<Schedule> {
  return fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(0), weight: 1 }, { arbitrary: fc.nat(), weight: 9 });
}

/** A schedule as `simulate` takes it. */
export function pickOf(schedule: Schedule): (n: number) => number {
  if (schedule === 0) return () => 0;
  if (schedule === 1) return (n) => n - 1;
  const random = generator(schedule);
  return (n) => Math.floor(random() * n);
}

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
