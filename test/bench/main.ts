import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JobName } from "./contenders/contender.js";
import type { PeerName } from "./contenders/load.js";
import { mainTable, peerTable } from "./format.js";
import { guaranteesOf } from "./guarantees.js";
import { measureRow } from "./measure-row.js";
import { type Node, nodeOf } from "./nodes.js";
import { isWanted, type Options, optionsOf, USAGE } from "./options.js";
import { pythonCosts, pythonVersion } from "./python.js";
import { type Result, resultOf } from "./result.js";
import { isBytes, rows } from "./rows.js";
import { scaling } from "./scaling.js";

// Prints what creche costs: against what is written by hand, and against other libraries. See `--help`.

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = optionsOf(args);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 1;
  }
  if (options.isHelp) {
    console.log(USAGE);
    return 0;
  }
  const node = nodeOf(options.node);
  // Tables of another shape, which take half a minute: only where they are asked for.
  if (options.parts.includes("testing")) {
    const { status } = spawnSync(node.path, [fileURLToPath(new URL("testing.js", import.meta.url))], { stdio: "inherit" });
    return status ?? 1;
  }
  if (options.isScaling) return scaling(node, options);
  return bench(node, options);
}

async function bench(node: Node, { parts, isMixed, isJson }: Options): Promise<number> {
  const wanted = rows.filter(({ row, size }) => isWanted(`${row} ${size}`, parts));
  if (wanted.length === 0) {
    console.error(`no row has ${parts.join(" or ")} in its name`);
    return 1;
  }
  const python = await pythonVersion();
  const results: Result[] = [];
  for (const row of wanted) {
    if (process.stderr.isTTY) process.stderr.write(`\r${results.length + 1} of ${wanted.length}: ${row.row} ${row.size}`.padEnd(70));
    const measured = await measureRow(node.path, row, isMixed);
    const costs = python === undefined || isBytes(row.job) ? undefined : await pythonCosts(row.job, row.size);
    results.push(resultOf(row, { ...measured, ...(costs && { python: costs }) }));
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${"".padEnd(70)}\r`);
  // creche itself, and what it must do for them, is never wrong or too slow.
  const broken = results.filter(({ creche, crecheAmbient }) => typeof creche === "string" || typeof crecheAmbient === "string");
  if (isJson) console.log(JSON.stringify(results, undefined, 2));
  else print(results, node, python);
  for (const { row, size, creche, crecheAmbient } of broken)
    console.error(`creche cannot do ${row} ${size}: ${creche}, ambient: ${crecheAmbient}`);
  return broken.length === 0 ? 0 : 1;
}

function print(results: readonly Result[], { version }: Node, python: string | undefined): void {
  console.log(
    `Node ${version}${python === undefined ? "" : `; ${python}`}. CPU time for each, medians; each ratio is the median of the ratios of pairs: nine, fewer only behind a ~.\n`,
  );
  console.log(mainTable(results));
  console.log(`
floor    bare promises, one AbortController that all share; nothing is cancelled when one fails
careful  by hand, with a controller for each child: the first failure aborts the others, all are awaited. Empty: nothing to add
creche   every call is told its scope. ambient: scopes find themselves (AsyncLocalStorage). ratio: creche / floor, then ambient / floor
mixed    creche / floor in a process where all other rows of creche have run before, as in an application that uses all of it
ahead    whether creche is cheaper than every peer: of bytes, keeps no more`);
  const table = peerTable(results);
  if (table !== "") {
    console.log(`\n${table}\n`);
    console.log(
      "Each peer takes turns with the floor and creche, in a process of its own. ~: fewer than nine pairs, down to one, for it is slow. `> 10 s`: by the clock; not waited for.",
    );
    console.log(
      "/ creche: how many times as much it costs as creche: below 1 it is ahead. Every job's result was checked once before it was timed.",
    );
    console.log("\nWhat they do not guarantee:");
    const byJob = new Map<JobName, PeerName[]>();
    for (const { row, size } of results) {
      const found = rows.find((candidate) => candidate.row === row && candidate.size === size);
      if (found !== undefined) byJob.set(found.job, [...found.peers]);
    }
    for (const line of guaranteesOf(byJob)) console.log(`  ${line}`);
  }
}
