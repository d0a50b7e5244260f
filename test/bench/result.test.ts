import { expect, test } from "vitest";
import { mainTable, peerTable } from "./format.js";
import { guaranteesOf } from "./guarantees.js";
import { type Measurements, resultOf } from "./result.js";
import { type Row, rows } from "./rows.js";

const nine = (value: number) => Array.from({ length: 9 }, () => value);
const row: Row = {
  row: "spawn+join",
  job: "spawn",
  size: 1000,
  of: "child",
  goal: { kind: "floor", most: 1.7, ambient: 2.6 },
  peers: ["effect", "rxjs"],
};
const own = { floor: nine(100), careful: nine(400), creche: nine(150) };
const ambient = { floor: nine(100), ambient: nine(300) };
const peers: Measurements["peers"] = [
  { name: "effect", samples: { effect: [1200, 1200, 1200], creche: [150, 150, 150], floor: [100, 100, 100] } },
  { name: "rxjs", samples: { rxjs: "stack overflow", creche: [], floor: [] } },
];

test("a row has amounts, the ratios of pairs, and which goals are reached", () => {
  expect(resultOf(row, { own, ambient, peers })).toMatchObject({
    row: "spawn+join",
    size: 1000,
    unit: "ns per child",
    floor: 100,
    creche: 150,
    crecheAmbient: 300,
    peers: { effect: 1200, rxjs: "stack overflow" },
    ratio: 1.5,
    ambientRatio: 3,
    peerRatios: { effect: { toFloor: 12, toCreche: 8 }, rxjs: { toFloor: null, toCreche: null } },
    fastestPeer: { name: "effect", ratio: 0.125 },
    isAheadOfAll: true,
    reached: { value: 1.5, isReached: true, isAmbientReached: false },
    fewPairs: ["effect"],
  });
});

test("one peer that costs less is enough not to be ahead", () => {
  const faster = { name: "rxjs", samples: { rxjs: nine(120), creche: nine(150), floor: nine(100) } } as const;
  expect(resultOf(row, { own, ambient, peers: [peers[0] as (typeof peers)[0], faster] })).toMatchObject({
    isAheadOfAll: false,
    fastestPeer: { name: "rxjs", ratio: 1.25 },
  });
});

test("where the floor cannot do it, there is no ratio, and no goal is reached by it", () => {
  expect(resultOf(row, { own: { ...own, floor: "> 10 s" }, ambient, peers })).toMatchObject({
    floor: "> 10 s",
    ratio: null,
    reached: { isReached: false },
  });
});

test("the goal of growth is about creche in two sizes", () => {
  const goal = { kind: "growth", most: 1.5, from: 100 } as const;
  const measure = (creche: number) =>
    resultOf({ ...row, goal }, { own, ambient, peers, growth: { creche: nine(creche), fewer: nine(100) } }).reached;
  expect([150, 160].map(measure)).toMatchObject([
    { value: 1.5, isReached: true },
    { value: 1.6, isReached: false },
  ]);
});

test("nothing is kept while it is less than the collector's noise", () => {
  const kept: Row = { ...row, job: "settled", goal: { kind: "bytes", most: 0 } };
  const measure = (creche: number) =>
    resultOf(kept, {
      own: { floor: [0], creche: [creche] },
      ambient: { ambient: [0] },
      peers: [{ name: "effect", samples: { effect: [-2] } }],
    });
  expect(measure(7)).toMatchObject({ unit: "bytes per child", ratio: null, isAheadOfAll: true, reached: { isReached: true } });
  expect(measure(11)).toMatchObject({ isAheadOfAll: false, reached: { isReached: false } });
});

test("the tables are aligned, and say what is missing and why", () => {
  const result = resultOf(row, { own, ambient, peers });
  expect(mainTable([result])).toBe(
    [
      "row          size    per   floor  careful  creche  ambient  ratio  ambient         goal  reached  ahead",
      "spawn+join  1,000  child  100 ns   400 ns  150 ns   300 ns   1.50     3.00  <= 1.7, 2.6  yes, NO    yes",
    ].join("\n"),
  );
  expect(peerTable([result])).toBe(
    [
      "row                 peer            cost  / floor  / creche",
      "spawn+join 1,000  effect        ~1.20 µs     12.0      8.00",
      "                    rxjs  stack overflow",
    ].join("\n"),
  );
});

test("under the table is said what the peers that are in it do not guarantee", () => {
  const lines = guaranteesOf(new Map([["lock", ["p-limit", "async-mutex"]]]));
  expect(lines.map((line) => line.trim().split(":", 1)[0])).toEqual(["p-limit", "lock", "async-mutex"]);
});

test("no row is there twice", () => {
  const names = rows.map(({ row, size }) => `${row} ${size}`);
  expect(new Set(names).size).toBe(names.length);
});
