import { type Growth, growthOf } from "./measure/growth.js";
import { plot } from "./measure/plot.js";
import { SERIES, type Series } from "./measure/sampler.js";
import { table } from "./measure/table.js";
import { median } from "./measure/theil-sen.js";
import type { SoakResult } from "./soak.js";

export interface Report {
  readonly text: string;
  readonly isGood: boolean;
}

/**
 * What a series has to grow by to be a leak. Bytes: the engine goes on learning about code for minutes, which was up to 1.6 MiB in the two thirds after the warm-up
 * of half a minute; small leaks show in the counts. Counts: the samples do not differ by that without one.
 */
const LEAST: Record<Series, number> = { heap: 3 * 2 ** 20, handles: 2, listeners: 2, scopes: 2, "kept objects": 50 };

const HEAD = ["", "first", "median", "last", "growth", "at most", "verdict"];

/** What a soak has found, for reading. */
export function reportOf({ ledger, samples, loopDelay, busy }: SoakResult, seed: number): Report {
  const growths = SERIES.map((series) => growthOf(samples[series], { least: LEAST[series] }));
  const rows = SERIES.map((series, i) => rowOf(series, samples[series], growths[i] as Growth));
  const { lateness } = ledger;
  const lines = [
    table(HEAD, rows),
    "counted at rest, after a collection; growth: along the fitted line since the warm-up; at most: four times the scatter, and what still settles after the warm-up",
    "",
    `heap at rest (${samples.heap.length} samples)`,
    plot(samples.heap, { label: megabytes }),
    "",
    `requests          ${ledger.operations} in ${(busy / 1e3).toFixed(1)} s, ${Math.round(ledger.operations / (busy / 1e3))} a second`,
    `event-loop delay  ${loopDelay}`,
    `deadlines         ${lateness.count} passed; ${(lateness.sum / Math.max(1, lateness.count)).toFixed(2)} ms late on the average, ${lateness.most.toFixed(1)} ms at most`,
    `answers           ${answers(ledger.ends)}`,
  ];
  const grown = SERIES.filter((_, i) => growths[i]?.verdict === "grows");
  for (const { what, trace } of ledger.violations)
    lines.push("", `VIOLATION: ${what}`, "the last that happened before it:", ...trace.map((line) => `  ${line}`));
  if (grown.length > 0) lines.push("", `GROWS: ${grown.join(", ")}`);
  const isGood = ledger.violations.length === 0 && grown.length === 0;
  const isJudged = growths.every(({ verdict }) => verdict !== "too few samples");
  const growing = isJudged ? "nothing grows" : "it was too short to tell what grows";
  lines.push("", isGood ? `good: nothing was violated, and ${growing} (seed ${seed})` : `BAD: run it again with --seed ${seed}`);
  return { text: lines.join("\n"), isGood };
}

function rowOf(series: Series, samples: readonly number[], { verdict, growth, threshold }: Growth): string[] {
  const show = series === "heap" ? megabytes : (value: number) => String(Math.round(value * 10) / 10);
  const cells = [samples[0] ?? 0, median(samples), samples.at(-1) ?? 0, growth, threshold];
  return [series, ...cells.map(show), verdict];
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

function answers(ends: ReadonlyMap<string, number>): string {
  const counts = new Map<string, number>();
  for (const [key, count] of ends) {
    const end = key.slice(key.indexOf(": ") + 2);
    counts.set(end, (counts.get(end) ?? 0) + count);
  }
  return [...counts].map(([end, count]) => `${end} ${count}`).join(", ");
}
