import { optionsOf } from "./options.js";
import { notRun, type Result } from "./result.js";
import { find, type Runtime, SOURCES } from "./runtimes.js";
import { LONG } from "./skips.js";
import { runSuite } from "./suite.js";
import { printed, type Row, summed } from "./table.js";
import { runWorkerd } from "./workerd/run.js";

// Runs the suite on all runtimes, one after the other, and prints a table. Ends with 1 if any has failed, or could not be found.
//
// usage: npm run runtimes                   all of it
//        npm run runtimes -- deno bun       on these
//        npm run runtimes -- --within 8     in so many minutes: a fifth of the runs of each property, and without what takes long

/** Without `--within`, a suite that has not ended then is taken to hang. */
const HANGS_MS = 30 * 60_000;

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  const options = optionsOf(
    process.argv.slice(2),
    SOURCES.map(({ name }) => name),
  );
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  const { within, names } = options;
  const end = within === undefined ? undefined : Date.now() + within * 60_000;
  const rows: Row[] = [];
  let isIncomplete = false;
  for (const source of SOURCES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const runtime = find(source);
    if (typeof runtime === "string") {
      isIncomplete = true;
      rows.push({ name: source.name, version: "", result: notRun(`it is not here: ${runtime}`) });
      continue;
    }
    const limit = end === undefined ? HANGS_MS : end - Date.now();
    console.error(`${runtime.name} ${runtime.version}`);
    const result = limit > 0 ? await runOn(runtime, end !== undefined, limit) : notRun("the time was over before its turn");
    rows.push({ name: runtime.name, version: runtime.version, result });
    if (interrupted.signal.aborted) return 130;
  }
  console.log(printed(rows));
  if (within !== undefined) console.log(`within ${within} minutes: a fifth of the runs of each property, and without ${LONG.join(", ")}`);
  console.log(summed(rows));
  const states = rows.map(({ result }) => result.state);
  return states.includes("failed") || !states.includes("passed") || isIncomplete ? 1 : 0;
}

function runOn(runtime: Runtime, isBoxed: boolean, limit: number): Promise<Result> {
  if (runtime.kind === "smoke") return runWorkerd(runtime, limit);
  return runSuite({ runtime, isBoxed, limit, signal: interrupted.signal });
}
