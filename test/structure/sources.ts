import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Source {
  /** Below src/, as `kernel/scope.ts`. */
  readonly path: string;
  /** As `kernel`; `""` for what is right in src/. */
  readonly folder: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** What it imports or re-exports: files of the project below src/, others by their names. */
  readonly imports: readonly string[];
}

export const sources: readonly Source[] = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"))
  .sort()
  .map(read);

function read(path: string): Source {
  const text = readFileSync(join(root, "src", path), "utf8");
  const code = withoutComments(text);
  const folder = path.includes("/") ? (path.split("/")[0] as string) : "";
  return { path, folder, text, code, imports: importsOf(code).map((name) => resolve(path, name)) };
}

/** Strings are kept: a `//` in one is no comment. */
export function withoutComments(text: string): string {
  const token = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*.*?\*\/|\/\/[^\n]*/gs;
  return text.replace(token, (_, string: string | undefined) => string ?? "");
}

export function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g);
  return [...found].map(([, name]) => name as string);
}

function resolve(from: string, name: string): string {
  if (!name.startsWith(".")) return name;
  return normalize(join(dirname(from), name))
    .replaceAll("\\", "/")
    .replace(/\.js$/, ".ts");
}
