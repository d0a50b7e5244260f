import { expect, test } from "vitest";
import { aligned, amountText, ratioText } from "./format.js";
import { svgOf } from "./plot.js";

test("amounts have three digits and a unit that suits them", () => {
  expect([0.5, 99.96, 999, 1000, 123_456, 2e6, 3.2e9].map((ns) => amountText(ns, "ns"))).toEqual([
    "0.50 ns",
    "100.0 ns",
    "999 ns",
    "1.00 µs",
    "123 µs",
    "2.00 ms",
    "3.20 s",
  ]);
  expect([-3, 4, 11.2, 1222].map((bytes) => amountText(bytes, "bytes"))).toEqual(["0 B", "0 B", "11 B", "1222 B"]);
  expect([amountText("stack overflow", "ns"), amountText(null, "ns")]).toEqual(["stack overflow", ""]);
});

test("ratios have three digits, those far below one too", () => {
  expect([0.0123, 0.5, 1.234, 12.34, 123.4, null].map(ratioText)).toEqual(["0.012", "0.50", "1.23", "12.3", "123", ""]);
});

test("the first column is to the left, the others to the right, and nothing is at the end of a line", () => {
  expect(
    aligned([
      ["a", "long", ""],
      ["bcd", "e", "f"],
      ["x", "", ""],
    ]),
  ).toBe("a    long\nbcd     e  f\nx");
});

test("the picture has a line for each series, growing costs higher up, and a cross with the reason where one ends", () => {
  const points = [
    { size: 100, cost: 10 },
    { size: 1000, cost: 1000 },
  ];
  const svg = svgOf(
    [
      {
        title: "a & b",
        series: [
          { name: "creche", points },
          { name: "late", points: points.slice(0, 1), end: "> 10 s" },
        ],
      },
    ],
    "title",
  );
  expect(svg).toContain('stroke-width="3"');
  expect(svg).toContain("a &#38; b");
  expect(svg).toContain("<title>late: &#62; 10 s</title>");
  const [, low, high] = /d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"/.exec(svg) ?? [];
  expect(Number(low)).toBeGreaterThan(Number(high));
  expect(svg).not.toMatch(/NaN|undefined/);
});
