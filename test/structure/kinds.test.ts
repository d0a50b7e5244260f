import { expect, test } from "vitest";
import { sources } from "./sources.js";

/** The classes of the library that extend one, each with that one. */
const bases = new Map(
  sources.flatMap(({ code }) => [...code.matchAll(/\bclass (\w+)(?:<[^{]*?>)? extends (\w+)/g)].map(([, name, base]) => [name, base])),
);

function subclassesOf(root: string): unknown[] {
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
