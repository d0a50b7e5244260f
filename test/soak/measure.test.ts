import { describe, expect, test } from "vitest";
import { FEWEST, growthOf } from "./measure/growth.js";
import { plot } from "./measure/plot.js";
import { table } from "./measure/table.js";
import { mannKendall, median, scatter, theilSen } from "./measure/theil-sen.js";
import { Random } from "./random.js";

describe("the statistics", () => {
  test("median", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
  });

  test("Theil-Sen's slope is not moved by outliers, and the scatter is around its line", () => {
    const values = Array.from({ length: 20 }, (_, i) => 5 + 3 * i);
    expect([theilSen(values), scatter(values, 3)]).toEqual([3, 0]);
    values[4] = 1e6;
    values[15] = -1e6;
    expect([theilSen(values), scatter(values, 3)]).toEqual([3, 0]);
    expect(theilSen([7])).toBe(0);
    expect(scatter([1, -1, 1, -1], 0)).toBe(1.4826);
  });

  test("Mann-Kendall: the figures of a textbook", () => {
    // S = 45 of 45 pairs, variance 10 * 9 * 25 / 18 = 125.
    expect(mannKendall([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toBeCloseTo(44 / Math.sqrt(125), 10);
    expect(mannKendall([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])).toBeCloseTo(-44 / Math.sqrt(125), 10);
    // With ties: S = 8, variance (5 * 4 * 15 - 2 * 1 * 9 - 2 * 1 * 9) / 18.
    expect(mannKendall([1, 1, 2, 3, 3])).toBeCloseTo(7 / Math.sqrt(264 / 18), 10);
    expect(mannKendall([4, 4, 4, 4])).toBe(0);
  });
});

/** Noise as that of a heap: each sample has something of the one before, and some have garbage that was not collected. */
function noise(random: Random, length: number, size: number): number[] {
  let last = 0;
  return Array.from({ length }, () => {
    last = 0.5 * last + size * (random.next() + random.next() + random.next() - 1.5);
    return last + (random.chance(0.2) ? 10 * size : 0);
  });
}

describe("growth", () => {
  const LENGTHS = [FEWEST, 40, 120, 600];

  function verdicts(series: (i: number, length: number) => number, size = 1, options = {}): Set<string> {
    const found = new Set<string>();
    for (const length of LENGTHS) {
      for (let seed = 0; seed < 100; seed++) {
        const samples = noise(new Random(seed), length, size).map((value, i) => value + series(i, length));
        found.add(growthOf(samples, options).verdict);
      }
    }
    return found;
  }

  test("noise is none", () => {
    expect(verdicts(() => 100)).toEqual(new Set(["steady"]));
  });

  test("nor is what settles, if it has done so in the warm-up but for what it takes to be one", () => {
    const settles = (i: number, length: number) => 1_000 * (1 - Math.exp(-i / (0.06 * length)));
    expect(verdicts(settles, 1, { least: settles(1, 1) - settles(0.3, 1) })).toEqual(new Set(["steady"]));
  });

  test("nor one step", () => {
    expect(verdicts((i, length) => (i < 0.6 * length ? 0 : 50))).toEqual(new Set(["steady"]));
  });

  test("nor what falls", () => {
    expect(verdicts((i) => -i)).toEqual(new Set(["steady"]));
  });

  test("what is kept at every sample is one, above the noise", () => {
    expect(verdicts((i, length) => (100 * i) / length)).toEqual(new Set(["grows"]));
  });

  test("and below it where there is none: one thing left behind at each", () => {
    expect(verdicts((i) => i, 0)).toEqual(new Set(["grows"]));
  });

  test("unless less than what it takes", () => {
    expect(verdicts((i) => i, 0, { least: 1e3 })).toEqual(new Set(["steady"]));
    const counts = Array.from({ length: 100 }, (_, i) => i);
    const { growth, threshold } = growthOf(counts, { least: 60 });
    expect(growth).toBeGreaterThan(60);
    expect(growth).toBeLessThan(70);
    expect(threshold).toBe(60);
  });

  test("few samples tell nothing", () => {
    const counts = Array.from({ length: FEWEST - 1 }, (_, i) => i);
    expect(growthOf(counts)).toEqual({ verdict: "too few samples", growth: 0, threshold: 0 });
    expect(growthOf([...counts, FEWEST]).verdict).toBe("grows");
  });
});

describe("the plot", () => {
  test("goes from the least value to the greatest", () => {
    expect(plot([1, 2, 3, 4, 5, 6, 7, 8, 16], { height: 2 })).toBe(`16 ┤        █\n 1 ┤▁▂▃▄▅▆▇████`.replace("▇████", "▇██"));
  });

  test("shows the median of samples that share a column", () => {
    expect(plot([0, 0, 0, 8, 8, 100], { width: 2, height: 1 })).toBe("8 ┤▁█");
  });

  test("a flat line is a line", () => {
    expect(plot([5, 5, 5], { height: 1, label: (n) => `${n} MiB` })).toBe("5 MiB ┤▁▁▁");
    expect(plot([])).toBe("(no samples)");
  });
});

test("the table has its first column to the left, its last one as well, and figures to the right", () => {
  expect(
    table(
      ["", "n", "verdict"],
      [
        ["heap", "10", "steady"],
        ["x", "9", "grows"],
      ],
    ),
  ).toBe("       n  verdict\nheap  10  steady\nx      9  grows");
});
