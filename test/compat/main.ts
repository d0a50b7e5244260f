import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { uncovered, unknownFamilies } from "./built-ins.js";
import { type NodeVersion, nodeAt, PINNED, pinnedNodes } from "./nodes.js";
import { loadFamilies } from "./probes/families.js";
import { authoredIn, documentOf, type Part } from "./report/document.js";
import { complaintsOf, needlessWrapper, rowsOf } from "./report/row.js";
import { printed } from "./report/table.js";
import { type Order, type Result, runAll } from "./run-all.js";
import { missing, Servers } from "./servers/servers.js";
import type { Need } from "./servers/site.js";

// Runs what real APIs do with our signal, prints the table, and writes docs/compatibility.md.
//
// usage: npm run compat                 all of it, on the Nodes that npm packages bring, or elsewhere on the one that runs this
//        npm run compat -- WORD...      the rows that have one of the words in their family or name; the document stays as it is
//        npm run compat -- --json       what was found, as lines of JSON
//        npm run compat -- --missing    only says which Debian packages have to be installed for it

const TOP = new URL("../../../", import.meta.url);
const DOCUMENT = fileURLToPath(new URL("docs/compatibility.md", TOP));
const MANIFEST = fileURLToPath(new URL("test/compat/package.json", TOP));

const args = process.argv.slice(2);
const has = (option: string) => args.includes(option);
const words = args.filter((arg) => !arg.startsWith("--"));
const isInCi = process.env["CI"] !== undefined;
/** Where the npm packages that bring a Node can be installed. */
const isPinnedHere = process.platform === "linux" && process.arch === "x64";

const INTERRUPTED = 130;
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

process.exitCode = await main().catch((error) => {
  if (!interrupted.signal.aborted) throw error;
  console.error("interrupted");
  return INTERRUPTED;
});

async function main(): Promise<number> {
  const families = await loadFamilies();
  const pinned = pinnedNodes();
  const nodes = pinned.length > 0 ? pinned : [nodeAt(process.execPath)];
  const orders = families.flatMap(({ file, probes }) => probes.flatMap((probe) => ordersFor(`${file}/${probe.name}`, probe, nodes)));
  const needs = new Set(orders.flatMap(({ probe }) => probe.needs ?? []));
  const absent = missing(needs);
  const packages = absent.map(({ debian }) => debian).join(" ");
  if (has("--missing")) {
    if (packages !== "") console.log(packages);
    return 0;
  }
  if (packages !== "") {
    const titles = absent.map(({ title }) => title).join(", ");
    console.error(`not installed: ${titles}. On Debian: apt-get install --no-install-recommends ${packages}`);
    return 1;
  }
  if (orders.length === 0) {
    console.error(`no row has ${words.join(" or ")} in its family or name`);
    return 1;
  }
  const results = await run(orders, needs);
  if (has("--json")) return results.every((result) => complaintsOf(result).length === 0) ? 0 : 1;
  const parts = families
    .map(({ title, file, probes }) => ({ title, rows: rowsOf(file, probes, results) }))
    .filter(({ rows }) => rows.length > 0);
  for (const { title, rows } of parts) console.log(`${printed(title, rows, nodes)}\n`);
  const faults = faultsOf(nodes, families);
  if (isPinnedHere && pinned.length < PINNED.length)
    faults.push(`npm has not installed ${PINNED.join(" and ")} in test/compat: this is only part of the table`);
  if (words.length === 0 && pinned.length === PINNED.length) faults.push(...write(documentOf(parts, nodes, versions())));
  for (const fault of faults) console.log(fault);
  return summed(parts, results, faults);
}

function summed(parts: readonly Part[], results: readonly Result[], faults: readonly string[]): number {
  const needless = parts.flatMap(({ rows }) => rows).filter((row) => needlessWrapper(row) !== undefined);
  const wrong = results.filter((result) => complaintsOf(result).length > 0);
  const failed = wrong.length + needless.length + faults.length;
  console.log(`${results.length - wrong.length} passed, ${failed} failed`);
  return failed === 0 && results.length > 0 ? 0 : 1;
}

function ordersFor(id: string, probe: Order["probe"], nodes: readonly NodeVersion[]): readonly Order[] {
  if (words.length > 0 && !words.some((word) => id.includes(word))) return [];
  return nodes.filter(({ major }) => major >= (probe.since ?? 0)).map((node) => ({ id, probe, node }));
}

async function run(orders: readonly Order[], needs: ReadonlySet<Need>): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "creche-compat-"));
  // The databases run as another user.
  chmodSync(folder, 0o755);
  const servers = await Servers.start(folder, needs);
  let done = 0;
  const tell = (result: Result) => {
    done++;
    if (has("--json")) console.log(JSON.stringify(result));
    else if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${orders.length} `);
  };
  try {
    return await runAll({ orders, servers, folder, signal: interrupted.signal, tell });
  } finally {
    await servers.stop();
  }
}

/** What is wrong with the suite itself. */
function faultsOf(nodes: readonly NodeVersion[], families: readonly { readonly file: string }[]): string[] {
  const files = families.map(({ file }) => file);
  const overlooked = nodes.flatMap((node) =>
    uncovered(node).map((name) => `Node ${node.version} has a module that takes a signal, and that no family covers: ${name}`),
  );
  return [...overlooked, ...unknownFamilies(files).map((file) => `there is no family ${file}`)];
}

/** In CI it must have been written before. What Debian's servers answer is not the same everywhere: there, only what the suite itself says is compared. */
function write(text: string): readonly string[] {
  const old = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "";
  if (isInCi) {
    const isCurrent = authoredIn(old).join("\n") === authoredIn(text).join("\n");
    return isCurrent
      ? []
      : ["docs/compatibility.md has other rows, or other lines for them, than the suite: run `npm run compat`, and commit it"];
  }
  if (old !== text) writeFileSync(DOCUMENT, text);
  return [];
}

function versions(): readonly string[] {
  const { dependencies } = JSON.parse(readFileSync(MANIFEST, "utf8")) as { readonly dependencies: Readonly<Record<string, string>> };
  return Object.entries(dependencies)
    .filter(([name]) => name !== "creche")
    .map(([name, version]) => `${name} ${version}`);
}
