import type { NodeVersion } from "../nodes.js";
import { complaintsOf, endsAfter, needlessWrapper, perNode, type Row, rejectionOf, resultOn } from "./row.js";

const NAME = 78;
const CELL = 12;

/** A part of the table as it is printed, with what is wrong below each line. */
export function printed(title: string, rows: readonly Row[], nodes: readonly NodeVersion[]): string {
  const head = title.padEnd(NAME) + nodes.map(({ major }) => `Node ${major}`.padStart(CELL)).join("");
  return [head, ...rows.flatMap((row) => lines(row, nodes))].join("\n");
}

function lines(row: Row, nodes: readonly NodeVersion[]): readonly string[] {
  const { probe, results } = row;
  const cells = nodes.map((node) => {
    const result = resultOn(row, node);
    if (result === undefined) return "-";
    return complaintsOf(result).length > 0 ? "WRONG" : `${Math.round(endsAfter(result))} ms`;
  });
  const isWrapped = results.some((result) => result.isWrapped);
  const rejection = `${perNode(row, rejectionOf, (text) => text)}${isWrapped ? " [cancellable]" : ""}`;
  const name = `  ${probe.name}`;
  const complaints = results.flatMap((result) => complaintsOf(result).map((complaint) => `      Node ${result.node.major}: ${complaint}`));
  const needless = needlessWrapper(row);
  const line = `${name.padEnd(NAME)}${cells.map((cell) => cell.padStart(CELL)).join("")}   ${rejection}`;
  return [line, ...complaints, ...(needless === undefined ? [] : [`      ${needless}`])];
}
