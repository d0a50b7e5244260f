// Finds what the demo site is made of: the project's own documents, and those of the packages that are installed.
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export interface Document {
  /** The package that it belongs to. */
  readonly folder: string;
  /** Its path there, with slashes. */
  readonly name: string;
  readonly file: string;
}

/** This module is compiled to dist/demo/. */
const EXAMPLE = fileURLToPath(new URL("../..", import.meta.url));
const PROJECT = join(EXAMPLE, "../..");

/** At most `limit` documents, in an order that is the same each time. */
export async function findDocuments(limit: number): Promise<Document[]> {
  const [own, docs, ...packages] = await Promise.all([
    filesIn(PROJECT, false),
    filesIn(join(PROJECT, "docs"), true),
    filesIn(join(PROJECT, "node_modules"), true),
    filesIn(join(EXAMPLE, "node_modules"), true),
  ]);
  const documents = [
    ...[...own, ...docs].map((file) => ({ folder: "creche", name: slashed(relative(PROJECT, file)), file })),
    ...packages.flat().map(inPackage),
  ];
  const byPath = new Map(documents.map((document) => [`${document.folder}/${document.name}`, document]));
  return [...byPath.keys()]
    .sort()
    .slice(0, limit)
    .flatMap((path) => byPath.get(path) ?? []);
}

async function filesIn(folder: string, recursive: boolean): Promise<string[]> {
  const files = (await walk(folder, recursive)).filter((file) => /\.(md|html)$/i.test(file));
  return files.filter((file) => !slashed(relative(folder, file)).split("/").some(isHidden));
}

/** Not by the `recursive` of `readdir`, which follows links since Node 26: the one to the project, in the packages of this example, has no end. */
async function walk(folder: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = entries.map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return recursive ? walk(path, recursive) : [];
    return entry.isFile() ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Caches and the like, which differ from one day to the next. */
function isHidden(segment: string): boolean {
  return segment.startsWith(".");
}

function inPackage(file: string): Document {
  const path = slashed(file).split("/node_modules/").at(-1) ?? "";
  const segments = path.split("/");
  const depth = path.startsWith("@") ? 2 : 1;
  return { folder: segments.slice(0, depth).join("/"), name: segments.slice(depth).join("/"), file };
}

function slashed(path: string): string {
  return path.split(sep).join("/");
}
