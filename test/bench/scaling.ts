import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TimedName } from "./contenders/contender.js";
import type { ContenderName } from "./contenders/load.js";
import { aligned, amountText, sizeText } from "./format.js";
import type { Node } from "./nodes.js";
import type { Options } from "./options.js";
import { type Chart, svgOf } from "./plot.js";
import { runOrder } from "./run-order.js";
import { median } from "./statistics.js";

const PICTURE = fileURLToPath(new URL("../../../docs/performance.svg", import.meta.url));
const PAIRS = 5;
const sizes = [1e2, 1e3, 1e4, 1e5, 1e6];
const names: readonly ContenderName[] = [
  "floor",
  "careful",
  "creche",
  "ambient",
  "effect",
  "effection",
  "abort-controller-x",
  "redux-saga",
];
const jobs: readonly { readonly job: TimedName; readonly title: string }[] = [
  { job: "spawn", title: "spawn and join" },
  { job: "cancel", title: "spawn, sleep and cancel" },
  { job: "nested", title: "nested nurseries" },
];

/** How what one task costs grows with the number of tasks: a table, and a picture. */
export async function scaling(node: Node, { isJson, parts }: Options): Promise<number> {
  const charts: Chart[] = [];
  for (const { job, title } of jobs) {
    if (parts.length > 0 && !parts.some((part) => title.includes(part))) continue;
    const series: { name: string; points: { size: number; cost: number }[]; end?: string }[] = [];
    for (const name of names) {
      const points: { size: number; cost: number }[] = [];
      let end: string | undefined;
      for (const size of sizes) {
        const { samples, failures } = await runOrder(node.path, {
          job,
          entries: [{ name, size }],
          isMixed: false,
          pairs: PAIRS,
          time: 2000,
        });
        if (process.stderr.isTTY) process.stderr.write(`\r${title}: ${name} ${size}`.padEnd(70));
        end = failures[0];
        // Who cannot do it with so many cannot do it with more.
        if (end !== undefined) break;
        points.push({ size, cost: median(samples[0] ?? []) });
      }
      series.push({ name, points, ...(end !== undefined && { end }) });
    }
    charts.push({ title, series });
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${"".padEnd(70)}\r`);
  if (isJson) console.log(JSON.stringify(charts, undefined, 2));
  else {
    console.log(`Node ${node.version}: CPU time for each task, median of up to ${PAIRS} samples, each size in a process of its own\n`);
    for (const { title, series } of charts) {
      const head = [title, ...sizes.map(sizeText)];
      const lines = series.map(({ name, points, end }) => [
        name,
        ...sizes.map((_, i) => (points[i] ? amountText(points[i].cost, "ns") : i === points.length ? (end ?? "") : "")),
      ]);
      console.log(`${aligned([head, ...lines])}\n`);
    }
  }
  if (charts.length === jobs.length) writeFileSync(PICTURE, svgOf(charts, `Node ${node.version}: CPU time for each task`));
  return charts.every(({ series }) => series.every(({ name, points }) => name !== "creche" || points.length === sizes.length)) ? 0 : 1;
}
