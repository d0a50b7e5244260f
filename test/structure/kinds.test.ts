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

function subclassesOf(root: string): string[] {
  const bases = subclasses();
  const isOne = (name: string | undefined): boolean => name === root || (name !== undefined && isOne(bases.get(name)));
  return [...bases.keys()].filter(isOne).sort();
}

// docs/decisions/27: with a fifth class, what each of them does costs half as much again, in a program that uses all of them.

test("there are four kinds of scope: a scope, a nursery, a task, and a nursery that the library leads", () => {
  expect(subclassesOf("ScopeNode")).toEqual(["CancelScope", "LedNursery", "Nursery", "Task"]);
});

test("there are four kinds of wait: for a time, in a queue, for something that cannot be cancelled, and one that an operation leads", () => {
  expect(subclassesOf("Waiter")).toEqual(["LedWaiter", "PlainWaiter", "QueueWaiter", "Sleeper"]);
});
