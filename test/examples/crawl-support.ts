import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";

/** A line of the output file. */
export interface Line {
  readonly url: string;
  readonly depth: number;
  readonly attempts: number;
  readonly outcome: "page" | "redirect" | "other" | "failed";
  readonly problem?: string;
  readonly target?: string;
  readonly type?: string;
  readonly title?: string;
}

/** Every line, also the last one, has its end: otherwise the parser is given a part, and throws. */
export function linesOf(file: string): Line[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** A module of the example. It is loaded by name, so that the compiler does not take it for a part of the tests, which are built before it. */
export async function load<M>(name: string): Promise<M> {
  return (await import(`../../examples/crawl/${name}.ts`)) as M;
}
