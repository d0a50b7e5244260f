export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("there is no median of nothing");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The median of the ratios of pairs that were measured one after the other: what the machine did to both is not in it. */
export function medianRatio(above: readonly number[], below: readonly number[]): number {
  if (above.length !== below.length) throw new RangeError(`${above.length} and ${below.length} are no pairs`);
  return median(above.map((value, i) => value / (below[i] as number)));
}

/** How often a job of `cost` is done for a sample of about `wanted`: a few times at least, so that a collection of garbage is not in every other sample only. */
export function timesFor(cost: number, wanted: number, least: number): number {
  return Math.max(least, Math.round(wanted / Math.max(cost, 1)));
}

/** How many rounds of `cost` there is time for: as many as wanted, and one at least. */
export function roundsFor(cost: number, time: number, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(time / cost)));
}
