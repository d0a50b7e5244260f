// Charts of what happened when, as text. Pure: spans in, lines out.

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

/** The stretch of time that a chart shows, and how many columns it has for it. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

/** Lays spans into as few lanes as possible, none overlapping another of its lane: there are as many as spans were under way at a time. */
export function lanes<S extends Span>(spans: readonly S[]): S[][] {
  const found: S[][] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const free = found.find((lane) => (lane.at(-1)?.to ?? Number.NEGATIVE_INFINITY) <= span.from);
    if (free === undefined) found.push([span]);
    else free.push(span);
  }
  return found;
}

/** One row: `▒` where something was under way that failed, `█` where at least half of the column's time was busy, `·` elsewhere. */
export function bar(spans: readonly Span[], frame: Frame): string {
  const perColumn = (frame.to - frame.from) / frame.columns;
  const row: string[] = [];
  for (let column = 0; column < frame.columns; column++) {
    const from = frame.from + column * perColumn;
    row.push(cell(spans, from, from + perColumn));
  }
  return row.join("");
}

function cell(spans: readonly Span[], from: number, to: number): string {
  let busy = 0;
  for (const span of spans) {
    const overlap = Math.min(span.to, to) - Math.max(span.from, from);
    if (overlap <= 0) continue;
    if (span.failed) return "▒";
    busy += overlap;
  }
  return busy * 2 >= to - from ? "█" : "·";
}

/** A scale for the rows: 0 at the left end, how long it took at the right one. */
export function scale({ from, to, columns }: Frame): string {
  return `0${`${((to - from) / 1_000).toFixed(1)} s`.padStart(columns - 1)}`;
}
