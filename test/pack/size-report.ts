import { type Bundle, bundle, bundles, exporting } from "./bundle.js";
import { guarantees } from "./guarantees.js";
import { core, goals, type Limits, limits } from "./limits.js";
import { publicNames } from "./public-names.js";
import { aligned, bytes } from "./table.js";
import { costOf, gzipWithoutTexts } from "./without.js";

const EVERYTHING = 'export * from "creche";';
const FOLDERS = ["kernel", "sync", "channels", "combinators", "bridges"];
const LARGEST = 10;
/** Names and codes are shorter. */
const MESSAGE = 24;

/** The two bundles that have limits, for Node and for browsers. */
export async function limited(): Promise<{ readonly text: string; readonly passed: readonly string[] }> {
  const programs = { core: exporting(...core), everything: EVERYTHING };
  const [node, browser] = [await bundles(programs), await bundles(programs, { platform: "browser" })];
  const names = { core: `{ ${core.join(", ")} }`, everything: "everything" };
  const keys = Object.keys(names) as (keyof Limits)[];
  const rows = keys.map((key) => [
    names[key],
    bytes(node[key].minified),
    bytes(node[key].gzip),
    bytes(limits[key]),
    bytes(goals[key]),
    bytes(browser[key].gzip),
  ]);
  return {
    text: aligned([["bytes", "minified", "gzip", "limit", "goal", "gzip, browsers"], ...rows]),
    passed: keys.filter((key) => node[key].gzip > limits[key]).map((key) => names[key]),
  };
}

/** What functions weigh alone, and what they add to a program that has the core anyway. */
export async function functionsAlone(all: boolean): Promise<string> {
  const names = await publicNames();
  const alone = await bundles(Object.fromEntries(names.map((name) => [name, exporting(name)])));
  const beside = await bundles(Object.fromEntries(names.map((name) => [name, exporting(...new Set([...core, name]))])));
  const { gzip: base } = await bundle(exporting(...core));
  const largest = Object.entries(alone).sort(([, one], [, other]) => other.gzip - one.gzip);
  const rows = largest.slice(0, all ? largest.length : LARGEST).map(([name, found]) => {
    const besideCore = (beside[name]?.gzip ?? 0) - base;
    return [
      name,
      bytes(found.gzip),
      `+${bytes(besideCore)}`,
      bytes(found.minified),
      ...FOLDERS.map((folder) => bytes(sumOf(found, folder))),
    ];
  });
  return aligned([["bytes", "gzip", "with the core", "minified", ...FOLDERS.map((folder) => `of ${folder}`)], ...rows]);
}

/** What the core would weigh without each of the things it does. */
export async function costs(): Promise<string> {
  const program = exporting(...core);
  const { text, gzip } = await bundle(program);
  const cost = await costOf(program);
  const rows: string[][] = [];
  for (const [name, files] of Object.entries(guarantees)) {
    rows.push([name, bytes(await cost(files.map((file) => `kernel/${file}.js`)))]);
  }
  rows.sort((one, other) => Number(other[1]?.replaceAll(",", "")) - Number(one[1]?.replaceAll(",", "")));
  rows.push(["the texts of messages, all of the above", bytes(gzip - gzipWithoutTexts(text, MESSAGE))]);
  const mangled = await bundle(program, { mangled: true });
  rows.push(["names of internal members, all of the above", bytes(gzip - mangled.gzip)]);
  rows.push(["what would be left without both", bytes(gzipWithoutTexts(mangled.text, MESSAGE))]);
  return aligned([["bytes after gzip", "cost"], ...rows]);
}

/** What everything would weigh without one of the folders. */
export async function folders(): Promise<string> {
  const { files } = await bundle(EVERYTHING);
  const cost = await costOf(EVERYTHING);
  const rows: string[][] = [];
  for (const folder of FOLDERS) {
    const own = [...files].filter(([file]) => file.startsWith(`${folder}/`));
    const minified = own.reduce((sum, [, size]) => sum + size, 0);
    rows.push([folder, String(own.length), bytes(minified), bytes(await cost(own.map(([file]) => file)))]);
  }
  return aligned([["bytes", "files", "minified", "cost after gzip"], ...rows]);
}

/** Bytes of each file in the two bundles. */
export async function files(): Promise<string> {
  const all = await bundle(EVERYTHING);
  const few = await bundle(exporting(...core));
  const rows = [...all.files].map(([file, size]) => [file, bytes(size), bytes(few.files.get(file) ?? 0)]);
  return aligned([["bytes, minified", "everything", "core"], ...rows]);
}

function sumOf({ files }: Bundle, folder: string): number {
  return [...files].filter(([file]) => file.startsWith(`${folder}/`)).reduce((sum, [, size]) => sum + size, 0);
}
