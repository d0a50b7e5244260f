// The program: serves the demo site if no URL was given, crawls until done, late or interrupted, and prints what came of it.
import { constants } from "node:os";
import { moveOnAfter, type Nursery, run } from "creche";
import { crawl } from "./crawl.js";
import { serveDemo } from "./demo/site.js";
import { untilInterrupted } from "./interrupt.js";
import { Journal } from "./journal.js";
import { type Options, parseOptions, USAGE, UsageProblem } from "./options.js";
import { report } from "./report.js";

async function main(root: Nursery, options: Options): Promise<number> {
  // A background task: it serves as long as there is something else to do.
  const start = options.start ?? (await root.start(serveDemo(options.demoPages), { name: "demo site", background: true }));
  const journal = new Journal(start);
  let isComplete: boolean | undefined;
  const signal = await untilInterrupted(async () => {
    isComplete = await moveOnAfter(options.deadline, () => crawl(start, options, journal));
  });
  console.log(report(journal, options, signal ?? (isComplete ? "complete" : "deadline")));
  if (signal !== undefined) return 128 + constants.signals[signal];
  return journal.isStartUnreachable ? 1 : 0;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else process.exitCode = await run((root) => main(root, options), { cleanupTimeout: 5_000 });
} catch (error) {
  if (error instanceof UsageProblem) console.error(`crawl: ${error.message}\n\n${USAGE}`);
  else console.error("crawl:", error);
  process.exitCode = error instanceof UsageProblem ? 2 : 1;
}
