import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import base from "../vitest.config.js";
import { excluded } from "./skips.js";

// The suite as any runtime with processes runs it. As the ordinary configuration, but:
// * files share a process, two at a time, because starting one for each file takes most of the time; those that need one of their own have it;
// * no coverage and no types, which do not depend on the runtime;
// * what skips.ts names is skipped.

const runtime = process.env["SUITE_RUNTIME"] ?? "node";
/** A run under `--within`. */
const isBoxed = process.env["SUITE_BOXED"] === "1";

/** They mock modules, measure the heap, or watch what is open in the process, what is rejected in it, and the timers that all its runs share. */
const ALONE = [
  "test/structure/context-none.test.ts",
  "test/bridges/explicit-stream.test.ts",
  "test/kernel/context-variable-none.test.ts",
  "test/kernel/next-turn.test.ts",
  "test/rules/r09-moved-often.test.ts",
  "test/rules/r09-timer-heap.test.ts",
  "test/scale/**/*.test.ts",
  "test/testing/**/*.test.ts",
];

/** They count what their random programs came to, and need as many of them as they ask for. */
const COUNTING = [
  "test/channels/channel-programs.test.ts",
  "test/channels/select-is-one-operation.test.ts",
  "test/combinators/map.test.ts",
  "test/sync/a12-condition-programs.test.ts",
  "test/sync/a12-limiter-programs.test.ts",
  "test/sync/barrier.test.ts",
  "test/sync/rate-limiter.test.ts",
  "test/sync/rate-limiter-late.test.ts",
  "test/sync/rate-limiter-programs.test.ts",
  "test/testing/fast-check.test.ts",
  "test/testing/linearizable.test.ts",
  "test/testing/reduction.test.ts",
  "test/testing/schedules.test.ts",
];

const FEWER = fileURLToPath(new URL("fewer-runs.ts", import.meta.url));
/** Tests get a fast-check that does fewer runs; the library gets its own. */
const fewerRuns = {
  name: "fewer-runs",
  enforce: "pre" as const,
  resolveId: (id: string, importer = "") => {
    const isTest = importer.includes("/test/") && importer !== FEWER && !COUNTING.some((file) => importer.endsWith(file));
    return id === "fast-check" && isTest ? FEWER : undefined;
  },
};

const never = ["**/node_modules/**", ...excluded(runtime, isBoxed)];
// Each project has files of its own: lists of patterns are merged with those of what is extended, so these must not be there.
const { include, ...common } = base.test ?? {};

export default defineConfig({
  ...base,
  plugins: isBoxed ? [fewerRuns] : [],
  test: {
    ...common,
    maxWorkers: "100%",
    typecheck: { enabled: false },
    provide: { ...common.provide, runtime },
    setupFiles: [...(common.setupFiles ?? []), fileURLToPath(new URL("setup.ts", import.meta.url))],
    projects: [
      { extends: true, test: { name: "shared", isolate: false, include: include ?? [], exclude: [...never, ...ALONE] } },
      { extends: true, test: { name: "alone", include: ALONE, exclude: never } },
    ],
  },
});
