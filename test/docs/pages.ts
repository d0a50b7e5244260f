import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The pages of the project, by their paths below it. */
export const pages: readonly string[] = ["README.md", "CHANGELOG.md", ...pagesIn("docs"), ...pagesIn("docs/decisions")];

export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

function pagesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).sort();
  return names.filter((name) => name.endsWith(".md")).map((name) => `${folder}/${name}`);
}
