import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { seedOf } from "../support/seed.js";

describe("the seed of the suite's properties", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seed-"));
    writeFileSync(join(folder, "a.ts"), "one\ntwo\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is the one that properties are tried with", () => {
    const seen: number[] = [];
    for (let run = 0; run < 2; run++) {
      fc.assert(
        fc.property(fc.nat(), (n) => {
          seen.push(n);
        }),
        { numRuns: 10 },
      );
    }
    expect(seen.slice(10)).toEqual(seen.slice(0, 10));
    expect(fc.readConfigureGlobal()?.seed).toBe(inject("seed"));
  });

  test("is the same for the same sources, whatever their line ends", () => {
    const before = seedOf(undefined, folder);
    expect(seedOf(undefined, folder)).toBe(before);
    writeFileSync(join(folder, "a.ts"), "one\r\ntwo\r\n");
    expect(seedOf(undefined, folder)).toBe(before);
  });

  test("is another one for other sources", () => {
    const before = seedOf(undefined, folder);
    writeFileSync(join(folder, "b.ts"), "");
    const after = seedOf(undefined, folder);
    writeFileSync(join(folder, "a.ts"), "one\ntwo!\n");
    expect(new Set([before, after, seedOf(undefined, folder)]).size).toBe(3);
  });

  test("is what SEED says", () => {
    expect(seedOf("7")).toBe(7);
    expect(seedOf("random")).not.toBe(seedOf("random"));
    for (const wrong of ["", "-1", "1.5", "x"]) expect(() => seedOf(wrong)).toThrow(RangeError);
  });
});
