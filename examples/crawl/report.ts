// What the program prints at its end.
import { now } from "creche";
import { bytes, count, number, seconds } from "./format.js";
import type { Journal } from "./journal.js";
import type { Options } from "./options.js";
import { timelineOf } from "./timeline.js";

const LABEL = 10;
const WORDS = 15;
const WORDS_A_LINE = 5;

/** The summary of a crawl, and its timeline. `end` says what ended it: it was complete, its deadline passed, or a signal came. */
export function report(journal: Journal, options: Options, end: string): string {
  const took = now() - journal.began;
  const sections: [label: string, lines: string[]][] = [
    ["pages", pages(journal)],
    ["unfinished", end === "complete" ? [] : [`${journal.underWay} under way, ${journal.waiting} waiting`]],
    ["failures", failures(journal)],
    ["left out", leftOut(journal)],
    [
      "volume",
      [`${bytes(journal.bytes)} of HTML in ${seconds(took)}, ${number(Math.round((journal.closed * 1_000) / took))} pages a second`],
    ],
    ["words", words(journal)],
    ["file", [`${options.out}, ${count(journal.closed, "line")}`]],
  ];
  const summary = sections.flatMap(([label, lines]) => lines.map((line, i) => `${(i === 0 ? label : "").padEnd(LABEL)}  ${line}`));
  return [headline(journal, options, end), "", ...summary, "", ...timelineOf(journal.entries, journal.began, now())].join("\n");
}

function headline({ start }: Journal, { deadline }: Options, end: string): string {
  if (end === "complete") return `crawled ${start.href}`;
  const why = end === "deadline" ? `the deadline of ${seconds(deadline)} has passed` : `interrupted by ${end}`;
  return `crawled a part of ${start.href}: ${why}`;
}

function pages({ entries }: Journal): string[] {
  const times = tally(entries.map(({ ending }) => ending?.outcome));
  const of = (outcome: string) => number(times.get(outcome) ?? 0);
  const retries = entries.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  return [
    `${of("page")} read, ${of("redirect")} moved, ${of("other")} not HTML, ${of("failed")} failed; ${count(retries, "attempt")} repeated`,
  ];
}

function failures({ entries }: Journal): string[] {
  const times = tally(entries.map(({ ending }) => (ending?.outcome === "failed" ? ending.problem : undefined)));
  if (times.size === 0) return [];
  return [[...times].map(([problem, n]) => `${problem}: ${number(n)}`).join(", ")];
}

function leftOut({ leftOut }: Journal): string[] {
  const reasons = Object.entries(leftOut).filter(([, n]) => n > 0);
  return reasons.length === 0 ? [] : [reasons.map(([why, n]) => `${count(n, "link")} ${why}`).join(", ")];
}

function words({ words }: Journal): string[] {
  if (words.size === 0) return [];
  const lines = [`${number(words.size)} different ones; the most frequent, and on how many pages each is:`];
  const top = words.top(WORDS).map(({ word, times, pages }) => `${word} ${number(times)} (${number(pages)})`);
  for (let i = 0; i < top.length; i += WORDS_A_LINE) lines.push(top.slice(i, i + WORDS_A_LINE).join(", "));
  return lines;
}

/** How often each value occurs, the most frequent first; those that are missing are not counted. */
function tally(values: readonly (string | undefined)[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const value of values) if (value !== undefined) times.set(value, (times.get(value) ?? 0) + 1);
  return new Map([...times].sort(([, a], [, b]) => b - a));
}
