import type { Step } from "../engine/step.js";

/** Steps at the beginning and at the end that a long timeline shows. */
const HEAD = 20;
const TAIL = 60;
const WIDEST = 28;

/**
 * The steps of a run as a table, with a column for each task. `*` marks where it departs from the order that its replay code names. What the run did after
 * something had been found wrong, when it was cancelled, is below a line.
 */
export function timelineOf(steps: readonly Step[], foundAt?: number): string {
  const tasks = [...new Set(steps.map(({ task }) => task))];
  const cell = ({ op, object }: Step) => clipped(object === "" ? op : `${op} ${object}`);
  const widths = tasks.map((task) =>
    Math.max(...steps.filter((step) => step.task === task).map((step) => cell(step).length), Math.min(task.length, WIDEST)),
  );
  const row = (lead: string, cells: readonly string[], tail: string) =>
    `${lead} | ${cells.map((text, i) => text.padEnd(widths[i] as number)).join(" | ")}${tail}`.trimEnd();
  const lines = [row("  step     time", tasks.map(clipped), "")];
  for (const step of shown(steps)) {
    if (step === undefined) {
      lines.push(`      …`);
      continue;
    }
    if (step.index === foundAt) lines.push("  ---- found here; the rest is how the run ended when it was cancelled for that");
    const mark = step.choice === 0 ? " " : "*";
    const lead = `${mark}${String(step.index + 1).padStart(5)}${`${round(step.time)}ms`.padStart(9)}`;
    lines.push(
      row(
        lead,
        tasks.map((task) => (task === step.task ? cell(step) : "")),
        remarksOf(step),
      ),
    );
  }
  return lines.join("\n");
}

function shown(steps: readonly Step[]): readonly (Step | undefined)[] {
  return steps.length <= HEAD + TAIL ? steps : [...steps.slice(0, HEAD), undefined, ...steps.slice(-TAIL)];
}

function remarksOf({ reads, writes, remarks, site }: Step): string {
  const parts = [...remarks];
  if (reads.length > 0) parts.push(`reads ${reads.join(", ")}`);
  if (writes.length > 0) parts.push(`writes ${writes.join(", ")}`);
  if (site !== undefined) parts.push(site);
  return parts.length === 0 ? "" : ` | ${parts.join("; ")}`;
}

function clipped(text: string): string {
  return text.length <= WIDEST ? text : `${text.slice(0, WIDEST - 1)}…`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
