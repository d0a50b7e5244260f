import { expect, test } from "vitest";
import { isWanted, optionsOf } from "./options.js";

test("without arguments: all rows, on Node 24, as tables", () => {
  expect(optionsOf([])).toEqual({ parts: [], isJson: false, node: 24, isMixed: true, isScaling: false, isHelp: false });
});

test("what is no option is a part of a name", () => {
  expect(optionsOf(["spawn", "--json", "lock", "--no-mixed"])).toMatchObject({ parts: ["spawn", "lock"], isJson: true, isMixed: false });
});

test.each([
  [["--node", "20"], 20],
  [["--node=24"], 24],
  [["--here"], "here"],
  [["--node", "20", "--here"], "here"],
] as const)("%j is Node %s", (args, node) => {
  expect(optionsOf(args).node).toBe(node);
});

test("what there is not is refused", () => {
  expect(() => optionsOf(["--node", "18"])).toThrow("--node takes 20 or 24, not 18");
  expect(() => optionsOf(["--node"])).toThrow("--node takes 20 or 24, not nothing");
  expect(() => optionsOf(["--jsn"])).toThrow("there is no option --jsn");
  expect(() => optionsOf(["--json=yes"])).toThrow("there is no option --json");
});

test("a row is wanted by a part of its name; a size is meant in full", () => {
  expect(isWanted("spawn+join 1000", [])).toBe(true);
  expect(isWanted("spawn+join 1000", ["cancel", "join"])).toBe(true);
  expect(isWanted("spawn+join 1000", ["cancel"])).toBe(false);
  expect(isWanted("spawn+join 1000", ["join 1000"])).toBe(true);
  expect(isWanted("spawn+join 10000", ["join 1000"])).toBe(false);
});
