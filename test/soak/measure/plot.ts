import { median } from "./theil-sen.js";

const EIGHTHS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

export interface PlotOptions {
  readonly width?: number;
  readonly height?: number;
  readonly label?: (value: number) => string;
}

/** A series of samples as bars of block characters, from its least value, which is the lower edge, to its greatest. A column is the median of its samples. */
export function plot(samples: readonly number[], { width = 72, height = 6, label = String }: PlotOptions = {}): string {
  if (samples.length === 0) return "(no samples)";
  const columns = columnsOf(samples, Math.min(width, samples.length));
  const [least, most] = [Math.min(...columns), Math.max(...columns)];
  const levels = columns.map((value) => (most === least ? 1 : 1 + Math.round(((value - least) / (most - least)) * (height * 8 - 1))));
  const edges = [label(most), label(least)];
  const margin = Math.max(...edges.map((edge) => edge.length));
  const rows: string[] = [];
  for (let row = height - 1; row >= 0; row--) {
    const edge = row === height - 1 ? edges[0] : row === 0 ? edges[1] : "";
    const bars = levels.map((level) => EIGHTHS[Math.max(0, Math.min(8, level - row * 8))]).join("");
    rows.push(`${(edge as string).padStart(margin)} ┤${bars}`.trimEnd());
  }
  return rows.join("\n");
}

function columnsOf(samples: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * samples.length) / count);
    return median(samples.slice(from, Math.max(from + 1, Math.floor(((i + 1) * samples.length) / count))));
  });
}
