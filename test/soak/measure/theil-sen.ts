/** The middle one of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** How much the values grow from one to the next: the median of the slopes of all pairs, which outliers do not move (Theil, Sen). */
export function theilSen(values: readonly number[]): number {
  const slopes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) slopes.push(((values[j] as number) - (values[i] as number)) / (j - i));
  }
  return slopes.length === 0 ? 0 : median(slopes);
}

/** How far the values lie from the line of that slope, as a standard deviation: 1.4826 times the median of the distances. */
export function scatter(values: readonly number[], slope: number): number {
  const level = median(values.map((value, i) => value - slope * i));
  return 1.4826 * median(values.map((value, i) => Math.abs(value - slope * i - level)));
}

/**
 * Mann-Kendall's test for a trend: by how many standard deviations there are more rising pairs of values than there would be by chance. Equal pairs count
 * for nothing, and make what is left the more certain.
 */
export function mannKendall(values: readonly number[]): number {
  const n = values.length;
  let rising = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) rising += Math.sign((values[j] as number) - (values[i] as number));
  }
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  let variance = n * (n - 1) * (2 * n + 5);
  for (const t of ties.values()) variance -= t * (t - 1) * (2 * t + 5);
  return variance <= 0 || rising === 0 ? 0 : (rising - Math.sign(rising)) / Math.sqrt(variance / 18);
}
