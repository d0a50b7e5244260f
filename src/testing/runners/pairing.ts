/**
 * Gives as many as possible of `wants` things each one of `haves` others that fits: a greedy choice would fail where a general pattern takes what only a special
 * one fits. By augmenting paths, breadth first. `undefined` for what gets none.
 */
export function pairing(wants: number, haves: number, fits: (want: number, have: number) => boolean): (number | undefined)[] {
  const options = Array.from({ length: wants }, (_, want) =>
    Array.from({ length: haves }, (__, have) => have).filter((have) => fits(want, have)),
  );
  const haveOf: (number | undefined)[] = new Array<number | undefined>(wants).fill(undefined);
  const wantOf = new Map<number, number>();
  for (let start = 0; start < wants; start++) {
    /** By whom each was asked for. */
    const asked = new Map<number, number>();
    const queue = [start];
    let free: number | undefined;
    for (let at = 0; free === undefined && at < queue.length; at++) {
      const want = queue[at] as number;
      for (const have of options[want] as number[]) {
        if (asked.has(have)) continue;
        asked.set(have, want);
        const owner = wantOf.get(have);
        if (owner === undefined) {
          free = have;
          break;
        }
        queue.push(owner);
      }
    }
    // Everybody on the way passes on what it had.
    while (free !== undefined) {
      const want = asked.get(free) as number;
      const before: number | undefined = haveOf[want];
      haveOf[want] = free;
      wantOf.set(free, want);
      free = before;
    }
  }
  return haveOf;
}
