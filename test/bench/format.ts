import type { Amount, Result } from "./result.js";
import type { Goal } from "./rows.js";

/** Three digits of an amount of nanoseconds or bytes; a reason as it is. */
export function amountText(amount: Amount | null, unit: "ns" | "bytes"): string {
  if (amount === null) return "";
  if (typeof amount === "string") return amount;
  if (unit === "bytes") return `${Math.abs(amount) < 10 ? 0 : Math.round(amount)} B`;
  for (const [size, name] of [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
  ] as const) {
    if (amount >= size) return `${threeDigits(amount / size)} ${name}`;
  }
  return `${threeDigits(amount)} ns`;
}

export function ratioText(ratio: number | null): string {
  return ratio === null ? "" : threeDigits(ratio);
}

export function sizeText(size: number): string {
  return size.toLocaleString("en-US");
}

function threeDigits(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude >= 100 ? value.toFixed(0) : magnitude >= 10 ? value.toFixed(1) : magnitude >= 0.1 ? value.toFixed(2) : value.toFixed(3);
}

/** Aligned columns: the first to the left, the others to the right. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function unitOf(result: Result): "ns" | "bytes" {
  return result.unit.startsWith("bytes") ? "bytes" : "ns";
}

function goalCells({ goal, reached, isAheadOfAll }: Result): readonly string[] {
  if (goal === null || reached === null) return ["", "", aheadText(isAheadOfAll)];
  const yes = (isReached: boolean | null) => (isReached === null ? "" : isReached ? "yes" : "NO");
  const text = goalText(goal);
  const value = goal.kind === "growth" || goal.kind === "peers" ? ` (${ratioText(reached.value)})` : "";
  const both = [yes(reached.isReached), yes(reached.isAmbientReached)].filter((text) => text !== "").join(", ");
  return [text, `${both}${value}`, aheadText(isAheadOfAll)];
}

function goalText(goal: Goal): string {
  const most = `<= ${goal.most}`;
  if (goal.kind === "peers") return `${most} of fastest peer`;
  if (goal.kind === "growth") return `${most} of ${sizeText(goal.from)}`;
  if (goal.kind === "bytes") return `${most} B`;
  return goal.ambient === undefined ? most : `${most}, ${goal.ambient}`;
}

function aheadText(isAhead: boolean | null): string {
  return isAhead === null ? "-" : isAhead ? "yes" : "NO";
}

/** The main table: what is written by hand, and creche. */
export function mainTable(results: readonly Result[]): string {
  const head = [
    "row",
    "size",
    "per",
    "floor",
    "careful",
    "creche",
    "ambient",
    "ratio",
    "ambient",
    "mixed",
    "goal",
    "reached",
    "ahead",
    "asyncio",
    "trio",
  ];
  const lines = results.map((result) => {
    const text = (amount: Amount | null) => amountText(amount, unitOf(result));
    const { python } = result;
    return [
      result.row,
      sizeText(result.size),
      result.unit.replace(/^.* per /, ""),
      text(result.floor),
      text(result.careful),
      text(result.creche),
      text(result.crecheAmbient),
      ratioText(result.ratio),
      ratioText(result.ambientRatio),
      ratioText(result.mixedRatio),
      ...goalCells(result),
      text(python?.asyncio ?? null),
      text(python?.trio ?? null),
    ];
  });
  return aligned(withoutEmpty([head, ...lines]));
}

/** Columns that say nothing are left out. */
function withoutEmpty(lines: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const isUsed = (i: number) => lines.slice(1).some((line) => line[i] !== "");
  return lines.map((line) => line.filter((_, i) => isUsed(i)));
}

/** The second table: who else can do it, and how many times as much it costs them. */
export function peerTable(results: readonly Result[]): string {
  const lines = results.flatMap((result) =>
    Object.entries(result.peers).map(([name, amount]) => {
      const ratios = result.peerRatios[name as keyof Result["peerRatios"]];
      const weighed = unitOf(result) === "bytes";
      const few = result.fewPairs.includes(name) ? "~" : "";
      const of = (value: Amount) =>
        weighed && typeof amount === "number" && typeof value === "number" && value > 10 ? amount / value : null;
      const toFloor = weighed ? of(result.floor) : (ratios?.toFloor ?? null);
      const toCreche = weighed ? of(result.creche) : (ratios?.toCreche ?? null);
      return [
        `${result.row} ${sizeText(result.size)}`,
        name,
        `${few}${amountText(amount, unitOf(result))}`,
        ratioText(toFloor),
        ratioText(toCreche),
      ];
    }),
  );
  const head = ["row", "peer", "cost", "/ floor", "/ creche"];
  return lines.length === 0
    ? ""
    : aligned([head, ...lines.map((line, i) => (line[0] === lines[i - 1]?.[0] ? ["", ...line.slice(1)] : line))]);
}
