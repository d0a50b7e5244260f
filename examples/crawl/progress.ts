import { now, sleep } from "creche";
import { bytes, count, seconds } from "./format.js";
import type { Journal } from "./journal.js";

/** Shows how the crawl gets on, for ever: one line that changes on a terminal, and elsewhere a line each second. A background task. */
export async function showProgress(journal: Journal, stream: NodeJS.WriteStream = process.stderr): Promise<never> {
  const clear = stream.isTTY ? "\r\x1b[2K" : "";
  try {
    for (;;) {
      await sleep(stream.isTTY ? 100 : 1_000);
      const line = progressLine(journal);
      stream.write(stream.isTTY ? `${clear}${line.slice(0, (stream.columns || 80) - 1)}` : `${line}\n`);
    }
  } finally {
    stream.write(clear);
  }
}

function progressLine(journal: Journal): string {
  return [
    seconds(now() - journal.began),
    count(journal.closed, "page"),
    `${journal.underWay} under way`,
    `${journal.waiting} waiting`,
    `${journal.failed} failed`,
    bytes(journal.bytes),
  ].join("  ");
}
