import { NEEDS_AMBIENT } from "./needs-ambient.js";

/** What a runtime does not run, and why. The one place for it: what is not named here has to pass. */
export interface Skip {
  /** Names of runtimes; "*" is all of them. */
  readonly on: readonly string[];
  /** What the path of a file, from the top, begins with. */
  readonly files: string;
  /** What is found in the full name of a test; where it is not given, the files are not even loaded. */
  readonly test?: RegExp;
  /** As `test`, by their full names. */
  readonly names?: ReadonlySet<string>;
  readonly reason: string;
}

/** Paths that a run under `--within` leaves to the unboxed one. */
export const LONG: readonly string[] = ["test/scale/", "test/docs/", "test/examples/"];

const TOOL = "tests of a tool of the project, which runs on Node; `npm test` runs them";
const TAILS = "JavaScriptCore eliminates tail calls: whoever returns what it calls is not in the stack";
const LISTENERS = "getEventListeners() does not see the listeners that the platform itself adds";
const FETCH = "the text of the error is that of Node's fetch";
const NODE = "is about Node, or takes modules of it that have no stand-in";
const UNTOLD = "process.getActiveResourcesInfo() lists nothing";
const CHUNKS = "how many microtasks a web stream or a file takes for a chunk is the platform's, and the test counts them";

export const SKIPS: readonly Skip[] = [
  ...["bench", "compat", "pack", "runtimes"].map((tool) => ({ on: ["*"], files: `test/${tool}/`, reason: TOOL })),
  ...["dependencies", "kinds", "seed"].map((name) => ({
    on: ["*"],
    files: `test/structure/${name}.test.ts`,
    reason: "reads the sources; the same wherever it runs",
  })),

  { on: ["bun"], files: "test/kernel/cancelled.test.ts", test: /its site is the stack of the call of cancel/, reason: TAILS },
  { on: ["bun"], files: "test/kernel/classify-node.test.ts", test: /although fetch overwrites its stack/, reason: TAILS },
  { on: ["bun"], files: "test/rules/r17-ended-scopes.test.ts", test: /^development mode (says where|is inherited)/, reason: TAILS },
  { on: ["bun"], files: "test/testing/inject.test.ts", test: /lists all that fails by place, and shows the first$/, reason: TAILS },
  { on: ["bun"], files: "test/testing/report.test.ts", test: /a deadlock, with its cycle$/, reason: TAILS },
  {
    on: ["bun"],
    files: "test/kernel/error-group.test.ts",
    test: /is shown by inspect\(\) /,
    reason: "inspect() adds the frame in which an error was made, though its stack has been set",
  },
  {
    on: ["bun", "deno"],
    files: "test/testing/sim-test.test.ts",
    test: /^node:test, for real/,
    reason: "starts Node's own test runner by options of Node",
  },
  { on: ["bun", "deno"], files: "test/bridges/http-stream.test.ts", test: /a response that is cut off fails the nursery/, reason: FETCH },
  { on: ["bun"], files: "test/bridges/http-stream.test.ts", test: /an upload through an identity stream/, reason: FETCH },
  {
    on: ["bun", "deno"],
    files: "test/kernel/scope-as-options.test.ts",
    test: /then listens to its signal: (fetch|addEventListener|a web stream's pipeTo)$/,
    reason: LISTENERS,
  },
  {
    on: ["bun"],
    files: "test/soak/soak.test.ts",
    test: /a timer, in the handles$/,
    reason: UNTOLD,
  },
  {
    on: ["bun"],
    files: "test/",
    test: /nothing that keeps it from being collected|keeps nothing alive|is not kept alive after|it keeps (few|none) of the|next to nothing behind|^DL13: /,
    reason: "JavaScriptCore takes for a reference whatever looks like one on the stack, so what is collected when is a matter of luck",
  },
  {
    on: ["bun"],
    files: "test/testing/sim-test.test.ts",
    test: /takes that of bun:test|says what to do where there is none/,
    reason: "the global object `Bun` cannot be replaced there",
  },
  {
    on: ["bun"],
    files: "test/testing/report.test.ts",
    test: /(what is left open of the platform|a real timer inside, which takes longer than is granted)$/,
    reason: UNTOLD,
  },
  {
    on: ["bun"],
    files: "test/bridges/from-readable-stream.test.ts",
    test: /the stream's own cleanup is shielded/,
    reason: "the cancel() of a stream that is being read has the async context of the read there, not that of its caller",
  },
  {
    on: ["bun", "deno"],
    files: "test/examples/testing.test.ts",
    test: /^(the README shows what is printed|its own tests pass under node --test)$/,
    reason: "prints places in stacks, and starts Node's own test runner",
  },
  {
    on: ["deno"],
    files: "test/examples/crawl.test.ts",
    test: /^the end of the job (SIG|a second SIG)/,
    reason: "a program that is started as Node starts one ends by the signal there",
  },
  {
    on: ["bun"],
    files: "test/examples/crawl.test.ts",
    test: /^the end of the job status 1 if the output file cannot be written/,
    reason: "console.error() shows an error with the source around it",
  },
  { on: ["bun"], files: "test/docs/snippets.test.ts", test: /'docs\/testing\.md:/, reason: TAILS },
  {
    on: ["deno"],
    files: "test/channels/merge.property.test.ts",
    reason:
      "an async generator loses its async context there when a return() was queued behind its next(), so its cleanup has no ambient scope",
  },
  { on: ["bun"], files: "test/testing/sim.test.ts", test: /^a foreign await (is one also|that is over)/, reason: UNTOLD },
  { on: ["deno"], files: "test/bridges/to-readable-stream.test.ts", test: /behind pipeThrough, what is on its way/, reason: CHUNKS },

  {
    on: ["deno"],
    files: "test/rules/r16-task-context.test.ts",
    test: /a task has the async context of the code that spawned it/,
    reason: "AsyncLocalStorage.exit() lasts until the first await only (https://github.com/denoland/deno/pull/36464)",
  },
  {
    on: ["deno"],
    files: "test/kernel/classify-node.test.ts",
    test: /linked to the cancellation (events\.(once|on)|child_process\.exec)/,
    reason: "its node:events and node:child_process reject with an AbortError that has no cause",
  },
  {
    on: ["deno"],
    files: "test/kernel/cancelled.test.ts",
    test: /as inspect\(\) shows it/,
    reason: "inspect() does not show the fields of an error that has no frames",
  },
  {
    on: ["deno"],
    files: "test/kernel/run-options.test.ts",
    test: /CRECHE_DEBUG=1/,
    reason: "the environment is not read there, because that asks the user for a permission",
  },
  {
    on: ["deno"],
    files: "test/kernel/next-turn.test.ts",
    test: /with MessageChannel, as in browsers/,
    reason: "a message comes before timers that are due, and between microtasks; what is used there is setImmediate",
  },

  ...["docs/", "examples/", "node/", "scale/", "soak/", "structure/context-none"].map((path) => ({
    on: ["chromium"],
    files: `test/${path}`,
    reason: NODE,
  })),
  ...["conformance/runner", "rules/r05-no-starvation"].map((path) => ({ on: ["chromium"], files: `test/${path}.test.ts`, reason: NODE })),
  {
    on: ["chromium"],
    files: "test/",
    test: /without an ambient scope leaves the context alone|leaves the other async contexts alone/,
    reason: "there is no AsyncLocalStorage to leave alone",
  },
  {
    on: ["chromium"],
    files: "test/",
    test: /no timer keeps the process alive|gives back what a burst needed once it has run empty/,
    reason: "a page cannot ask which timers and how much memory it has",
  },
  ...["bridges/explicit-stream", "channels/generate-sources", "kernel/cancelled", "kernel/clock"].map((path) => ({
    on: ["chromium"],
    files: `test/${path}.test.ts`,
    reason: NODE,
  })),
  ...["combinators/map.property", "rules/r03-no-error-is-lost", "rules/r04-level-triggered"].map((path) => ({
    on: ["chromium"],
    files: `test/${path}.test.ts`,
    reason: "takes minutes there",
  })),
  {
    on: ["chromium"],
    files: "test/rules/r14-foreign-signals.test.ts",
    test: /^a listener that throws keeps none/,
    reason: "what a listener throws goes to the error event of the page, and the test watches that of the process",
  },
  {
    on: ["chromium"],
    files: "test/",
    test: /has the name of its class|is shown by inspect\(\) |as inspect\(\) shows it|^the name is told, and is a string|is printed |is the one that is told/,
    reason: "there is no inspect() of node:util",
  },
  {
    on: ["chromium"],
    files: "test/rules/r01-latecomers.test.ts",
    reason: "looks on between setImmediate()s, which browsers do not have",
  },
  {
    on: ["chromium"],
    files: "test/testing/",
    reason: "its programs use the ambient scope throughout, and some go round for ever without one",
  },
];

const AMBIENT = "needs an ambient scope, which browsers do not have; it fails on Node as well without one";

/** Those of needs-ambient.ts, as if they were above. */
const OF_AMBIENT: readonly Skip[] = Object.entries(NEEDS_AMBIENT).flatMap(([files, tests]): readonly Skip[] => {
  const skip = { on: ["chromium"], files, reason: AMBIENT };
  return tests.length === 0 ? [skip] : [{ ...skip, names: new Set(tests) }];
});

/** All there are. */
export const ALL_SKIPS: readonly Skip[] = [...SKIPS, ...OF_AMBIENT];

/** Those for all the tests of a file, or for one test in it. */
export function skipOf(runtime: string, file: string, name: string | undefined, skips: readonly Skip[] = ALL_SKIPS): Skip | undefined {
  return skips.find(
    (skip) => isOn(skip, runtime) && file.startsWith(skip.files) && (isWhole(skip) || (name !== undefined && isNamed(skip, name))),
  );
}

/** Whether it is for all the tests of its files. */
export function isWhole(skip: Skip): boolean {
  return skip.test === undefined && skip.names === undefined;
}

function isNamed(skip: Skip, name: string): boolean {
  return skip.test?.test(name) ?? skip.names?.has(name) ?? false;
}

export function isOn(skip: Skip, runtime: string): boolean {
  return skip.on.includes("*") || skip.on.includes(runtime);
}

/** The files that are not loaded on a runtime, as patterns. */
export function excluded(runtime: string, isBoxed: boolean, skips: readonly Skip[] = ALL_SKIPS): readonly string[] {
  const whole = skips.filter((skip) => isWhole(skip) && isOn(skip, runtime)).map(({ files }) => files);
  return [...whole, ...(isBoxed ? LONG : [])].map((path) => (path.endsWith("/") ? `${path}**` : path));
}
