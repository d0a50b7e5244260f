import { mannKendall, scatter, theilSen } from "./theil-sen.js";

/** The first part of the samples, in which caches fill and code is compiled. */
const WARM_UP = 0.3;
/** Samples are taken together to so many blocks: those that follow one another closely share their noise, and would count as so many witnesses. */
const BLOCKS = 12;
/** Fewer samples than these tell nothing. */
export const FEWEST = 2 * BLOCKS;
/** Standard deviations of Mann-Kendall's test: by chance in one of 10,000 series. */
const CERTAIN = 3.72;
/** The growth has to be so many times the noise that is left beside it. */
const ABOVE_NOISE = 4;
/** A leak goes on, and what settles, or has made one step, does not: each half has to grow by so much of what it would along the line. */
const STEADY = 0.5;

export interface Growth {
  readonly verdict: "steady" | "grows" | "too few samples";
  /** From the first sample after the warm-up to the last, along the line that fits best. */
  readonly growth: number;
  /** What the growth has to be above to count as one. */
  readonly threshold: number;
}

export interface GrowthOptions {
  /** What is at least needed to speak of growth, besides what the noise demands: above what still settles after the warm-up. Default 0. */
  readonly least?: number;
}

/**
 * Whether a series of samples grows, beyond its noise and beyond its warm-up. It does if all of these hold:
 *
 * * there is a trend that chance does not bring (Mann-Kendall, over blocks of samples);
 * * along the line that fits (Theil-Sen) it has grown by several times the noise around that line, and by `least`;
 * * it is steady: either half of the blocks grows on its own, and not much less than the whole.
 *
 * Each block stands for its smallest sample: what disturbs a count of what is left only ever adds to it.
 */
export function growthOf(samples: readonly number[], { least = 0 }: GrowthOptions = {}): Growth {
  if (samples.length < FEWEST) return { verdict: "too few samples", growth: 0, threshold: least };
  const blocks = blocksOf(samples.slice(Math.floor(samples.length * WARM_UP)));
  const slope = theilSen(blocks);
  const growth = slope * (blocks.length - 1);
  const threshold = Math.max(least, ABOVE_NOISE * scatter(blocks, slope));
  const isGrowing = growth > threshold && mannKendall(blocks) > CERTAIN && isSteady(blocks, slope);
  return { verdict: isGrowing ? "grows" : "steady", growth, threshold };
}

function blocksOf(samples: readonly number[]): number[] {
  const blocks: number[] = [];
  for (let i = 0; i < BLOCKS; i++) {
    const from = Math.floor((i * samples.length) / BLOCKS);
    const to = Math.floor(((i + 1) * samples.length) / BLOCKS);
    blocks.push(Math.min(...samples.slice(from, to)));
  }
  return blocks;
}

function isSteady(blocks: readonly number[], slope: number): boolean {
  const half = blocks.length / 2;
  return [blocks.slice(0, half), blocks.slice(half)].every((part) => theilSen(part) >= STEADY * slope);
}
