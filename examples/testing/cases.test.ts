import test from "node:test";
import { simTestFor } from "creche/testing";
import { cases } from "./cases.js";

// How it looks in a test file: of node:test here, and the same with the `test` of another runner.
const simTest = simTestFor(test);

for (const { name, tool, fixed } of cases) {
  if (tool === "orders") simTest(`${name}, in any order`, (sim) => fixed.body(sim), { schedules: 200 });
  else simTest.cancellation(`${name}, cancelled anywhere`, (sim) => fixed.body(sim), { check: fixed.check });
}
