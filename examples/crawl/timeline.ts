// The timeline of a crawl: who was busy when, and which pages took longest.
import { bar, type Frame, lanes, type Span, scale } from "./chart.js";
import { seconds } from "./format.js";
import type { Entry } from "./journal.js";

const COLUMNS = 76;
const SLOWEST = 10;

interface PageSpan extends Span {
  readonly entry: Entry;
}

export function timelineOf(entries: readonly Entry[], from: number, to: number): string[] {
  const frame: Frame = { from, to, columns: COLUMNS };
  const spans = entries.map((entry) => spanOf(entry, to));
  const slowest = [...spans].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, SLOWEST);
  return [
    "timeline: each row is one page at a time; █ read, ▒ failed or cut off, · idle",
    ...lanes(spans).map((lane) => `  ${bar(lane, frame)}`),
    `  ${scale(frame)}`,
    "",
    "the pages that took longest",
    ...slowest.map((span) => `  ${bar([span], frame)}  ${seconds(span.to - span.from).padStart(6)}  ${titleOf(span.entry)}`),
  ];
}

function spanOf(entry: Entry, end: number): PageSpan {
  return { entry, from: entry.from, to: entry.to ?? end, failed: entry.ending === undefined || entry.ending.outcome === "failed" };
}

function titleOf({ url, attempts, ending }: Entry): string {
  const name = url.pathname + url.search;
  const what = ending === undefined ? "cut off" : ending.outcome === "failed" ? ending.problem : "";
  const notes = [what, attempts > 1 ? `${attempts} attempts` : ""].filter((note) => note !== "");
  return notes.length === 0 ? name : `${name} (${notes.join(", ")})`;
}
