import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe } from "./harness/describe.js";
import { type Finding, runProbe } from "./harness/run-probe.js";
import { findProbe } from "./probes/families.js";
import type { Addresses, ServerState } from "./servers/site.js";

// One probe in a process of its own. Prints a line of JSON for each scenario, and one at the end. It asks its parent what the servers see.

/** How a child is told what to do, as its argument. */
export interface Job {
  readonly probe: string;
  readonly isBare: boolean;
  readonly addresses: Addresses;
  readonly folder: string;
}

/** The last line of a child. */
export interface Closing {
  readonly isWrapped: boolean;
  /** What it has printed to nobody: unhandled rejections, warnings. */
  readonly noises: readonly string[];
}

/** What a child prints. */
export type Line = { readonly finding: Finding } | { readonly closing: Closing } | { readonly stuck: readonly string[] };

/** What a child that has nothing left to do gets to end, in milliseconds: much, for only what is stuck takes it; little, where it is known to be. */
const ENDS_WITHIN = 15_000;
const STAYS_FOR = 500;

const job = JSON.parse(process.argv[2] ?? "") as Job;
const noises: string[] = [];
const answers: ((state: ServerState) => void)[] = [];
process.on("unhandledRejection", (error) => noises.push(`unhandled rejection: ${String(error)}`));
process.on("uncaughtException", (error) => noises.push(`uncaught exception: ${error.stack}`));
process.on("warning", ({ name, message }) => {
  if (name !== "ExperimentalWarning" && name !== "DeprecationWarning") noises.push(`${name}: ${message}`);
});

// One listener for the whole time: the channel counts as open while there is one.
process.on("message", (state) => answers.shift()?.(state as ServerState));

// Node opens these when they are first looked at, and then they count.
void [process.stdout, process.stderr];

let folders = 0;
const run = {
  probe: await findProbe(job.probe),
  site: { ...job.addresses, state: askForState },
  makeFolder: () => {
    const path = join(job.folder, String(folders++));
    mkdirSync(path, { recursive: true });
    return path;
  },
  isBare: job.isBare,
  tell: (finding: Finding) => tell({ finding }),
};
const { isWrapped } = await runProbe(run).catch((error) => {
  noises.push(`the probe itself failed: ${describe(error)}`);
  return { isWrapped: false };
});
tell({ closing: { isWrapped, noises } });
process.disconnect?.();
// Without its wrapper much is left, and that has been told.
if (job.isBare) process.exit();
const end = () => {
  tell({ stuck: process.getActiveResourcesInfo() });
  process.exit();
};
setTimeout(end, run.probe.leaves === undefined ? ENDS_WITHIN : STAYS_FOR).unref();

function tell(line: Line): void {
  console.log(JSON.stringify(line));
}

function askForState(): Promise<ServerState> {
  return new Promise((resolve) => {
    answers.push(resolve);
    process.send?.("state");
  });
}
