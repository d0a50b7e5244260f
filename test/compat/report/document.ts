import { AT_ONCE } from "../harness/run-probe.js";
import type { NodeVersion } from "../nodes.js";
import { calledOff, complaintsOf, endsAfter, type Kind, kindOf, listenersOf, perNode, type Row, rejectionOf, resultOn } from "./row.js";
import { shownWrapper } from "./shown.js";

/** A family with its rows. */
export interface Part {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** `docs/compatibility.md`. */
export function documentOf(parts: readonly Part[], nodes: readonly NodeVersion[], versions: readonly string[]): string {
  const rows = parts.flatMap((part) => part.rows);
  return [introduction(rows, nodes, versions), ...parts.map((part) => section(part, nodes))].join("\n");
}

/** What of a document does not depend on where it was written: the names of its rows and the lines for their wrappers, in their order. */
export function authoredIn(text: string): readonly string[] {
  const rows = [...text.matchAll(/^\| `(.+?)` \|/gm)].map(([, name]) => name as string);
  const code = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines as string);
  return [...rows, ...code];
}

const INTRODUCTION = `# Compatibility

What real APIs do with the signal of a scope, and how a nursery judges it. This page is written by \`npm run compat\`, which runs every row for real, on NODES,
against servers on loopback that stall, answer and fail; each row in a process of its own.

SUMMARY

Each row was

* **cancelled while it waited**: the nursery swallows the cancellation, in whatever form it comes, and ends at once;
* **cancelled before the call**: the same;
* **left alone**: it succeeds;
* **failing just before a cancellation**: the operation fails, and the scope is cancelled before anybody has judged that: the nursery rejects with that very error;
* **failing just after one**: the same call fails in the cleanup of a cancelled task: the nursery rejects with that very error;
* **failing about when it is cancelled**, at seven moments around the failure: the verdict fits what the operation rejected with.

After each of them nothing was left: no socket, no timer, no handle in the process, no connection and no request at the server, and the process ended by itself; unless the row says what is left.

How to read a row:

* The columns of the Nodes say how soon after the cancellation the nursery has ended: *at once* is within ${AT_ONCE} ms, the rest is rounded up. \`npm run compat\` prints the milliseconds.
* *Rejects with* is what the API itself rejects with when it is cancelled while it waits; where it takes no signal, when it is called off by the lines below the table.
* \`task\` is the scope of a task. Where it says \`{ signal }\`, that is \`{ signal: task.signal }\`: see [a scope as options](semantics.md#a-scope-as-options).
* **Needs \`cancellable\`**: without it the cancellation counts as a failure, something is left behind, or the operation does not end. The lines below the table are the ones that were run.
* Where a call leaves a listener on its signal, that is of no account for the signal of a task, which goes with the task. It is for one that lives long: pass the task, not the nursery.
* A pool may keep a connection that nobody uses, or open one in advance, as \`fetch\` does after an abort. It does not keep the process alive, and is not counted.

VERSIONS
`;

function introduction(rows: readonly Row[], nodes: readonly NodeVersion[], versions: readonly string[]): string {
  const on = nodes.map(({ version }) => `Node ${version}`).join(" and ");
  return INTRODUCTION.replace("NODES", on)
    .replace("SUMMARY", () => summary(rows))
    .replace("VERSIONS", `Packages: ${versions.join(", ")}.`);
}

/** How many rows there are of each kind. Of those that need something though they take a signal, which. */
function summary(rows: readonly Row[]): string {
  const of = (kind: Kind) => rows.filter((row) => kindOf(row) === kind);
  const count = (kind: Kind, text: string) => (of(kind).length === 0 ? [] : [`* ${of(kind).length} ${text}`]);
  const which = (kind: Kind) =>
    of(kind)
      .map(({ probe }) => `\`${probe.name}\``)
      .join(", ");
  return [
    `Of ${rows.length} rows,`,
    "",
    ...count("holds", "hold as they are: pass the scope, or its signal."),
    ...count("resolves", `end normally when they are cancelled: look at the scope after them. ${which("resolves")}.`),
    ...count("needs a wrapper", `take a signal, and need \`cancellable\` all the same. ${which("needs a wrapper")}.`),
    ...count("takes no signal", "take no signal: `cancellable` calls them off."),
    ...count("does not hold", `**do not hold**. ${which("does not hold")}.`),
  ].join("\n");
}

function section({ title, rows }: Part, nodes: readonly NodeVersion[]): string {
  const columns = ["API", "rejects with", ...nodes.map(({ major }) => `Node ${major}`), "remarks"];
  const table = [columns, columns.map(() => "---"), ...rows.map((row) => cells(row, nodes))].map((line) => `| ${line.join(" | ")} |`);
  return [`## ${title}`, "", ...table, "", ...wrappers(rows.filter(isWrapped))].join("\n");
}

function isWrapped({ results }: Row): boolean {
  return results.some((result) => result.isWrapped);
}

function cells(row: Row, nodes: readonly NodeVersion[]): readonly string[] {
  const { probe } = row;
  const verdicts = nodes.map((node) => {
    const result = resultOn(row, node);
    if (result === undefined) return "not there";
    return complaintsOf(result).length > 0 ? "**does not hold**" : soon(endsAfter(result));
  });
  return [`\`${probe.name}\``, reaction(row), ...verdicts, remarks(row)];
}

/** So coarse that it is the same each time. */
function soon(ms: number): string {
  return ms <= AT_ONCE ? "at once" : `within ${10 ** Math.ceil(Math.log10(ms / 1_000))} s`;
}

function reaction(row: Row): string {
  const { takesNoSignal } = row.probe;
  return escaped(
    takesNoSignal === true ? `takes no signal; called off: ${perNode(row, calledOff, asIs)}` : perNode(row, rejectionOf, asIs),
  );
}

const asIs = (text: string) => text;

function remarks(row: Row): string {
  const { note, leaves, resolves, genuine } = row.probe;
  const listeners = perNode(row, listenersOf, (state) => LISTENERS[state]);
  const sentences = [
    isWrapped(row) ? "Needs `cancellable`." : undefined,
    note,
    resolves === true && !isWrapped(row) ? "Look at the scope after it: `task.throwIfCancelled()`." : undefined,
    leaves === undefined ? undefined : `Leaves ${leaves.what}.`,
    listeners === "" ? undefined : `${listeners}.`,
    genuine === undefined ? "It has no failure of its own." : undefined,
  ];
  return escaped(sentences.filter((sentence) => sentence !== undefined).join(" "));
}

const LISTENERS = { none: "", "until collected": "A call leaves a listener, until it is collected", kept: "Each call leaves a listener" };

/** The lines that rows need, for those that need them for the same reason in one place. */
function wrappers(rows: readonly Row[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const row of rows) {
    const reason = perNode(row, whatHappensWithout, asIs);
    const lines = byReason.get(reason) ?? [];
    lines.push(`// ${row.probe.name}`, shownWrapper(row.probe.shown ?? row.probe.call));
    byReason.set(reason, lines);
  }
  return [...byReason].flatMap(([reason, lines]) => [`Without \`cancellable\`, ${reason}:`, "", "```ts", ...lines, "```", ""]);
}

function whatHappensWithout({
  bare,
}: {
  readonly bare: { readonly scenario: string; readonly complaints: readonly string[] } | undefined;
}): string {
  const complaint = bare?.complaints[0];
  if (bare === undefined || complaint === undefined) return "it holds";
  const open = bare.complaints.flatMap((one) => (one.startsWith("left: ") ? one.slice("left: ".length) : []));
  const when = bare.scenario === "before" ? "cancelled before the call, " : "";
  if (complaint.includes("never ends")) return `${when}it does not end`;
  if (complaint.startsWith("left: ")) return `${when}it leaves something open (${open.join(", ")})`;
  return `${when}${complaint}`;
}

/** For a cell of a table. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
