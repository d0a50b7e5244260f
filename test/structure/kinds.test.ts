import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));

/** The classes of the library, each with the one that it extends. */
function subclasses(): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    for (const [, name, base] of readFileSync(join(SOURCES, path), "utf8").matchAll(/\bclass (\w+)(?:<[^{]*?>)? extends (\w+)/g)) {
      found.set(name as string, base as string);
    }
  }
  return found;
}

// docs/decisions/27: with a fifth, every task of a program that uses all of them costs half as much again.
test("there are four kinds of scope: a scope, a nursery, a task, and a nursery that the library leads", () => {
  const bases = subclasses();
  const isScope = (name: string | undefined): boolean => name === "ScopeNode" || (name !== undefined && isScope(bases.get(name)));
  expect([...bases.keys()].filter(isScope).sort()).toEqual(["CancelScope", "LedNursery", "Nursery", "Task"]);
});
