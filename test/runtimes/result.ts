import { isOn, type Skip, skipOf } from "./skips.js";

/** What became of the suite on a runtime. */
export interface Result {
  readonly state: "passed" | "failed" | "not run";
  readonly files: number;
  readonly passed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly seconds: number;
  /** Whole sentences: why it has not passed, or not been run. */
  readonly complaints: readonly string[];
  /** Reasons of what was skipped, each with the number of tests. */
  readonly reasons: ReadonlyMap<string, number>;
}

/** What vitest's reporter "json" writes, as far as it is read. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

export interface Ending {
  readonly runtime: string;
  /** Of the process; undefined when it was cut off. */
  readonly status: number | undefined;
  readonly seconds: number;
  /** The end of what it printed. */
  readonly output: string;
  readonly report: Report | undefined;
  readonly isBoxed: boolean;
}

const BY_ITSELF = "skipped by the test itself";

export function notRun(why: string, seconds = 0): Result {
  return { state: "not run", files: 0, passed: 0, skipped: 0, failed: 0, seconds, complaints: [why], reasons: new Map() };
}

/**
 * Reads the ending of a suite. It has passed only where the process ended by itself with 0, there is a report, and tests have passed and none failed:
 * an error outside of any test is in the status alone.
 */
export function judged(ending: Ending, skips?: readonly Skip[]): Result {
  const { runtime, status, seconds, output, report } = ending;
  const complaints: string[] = [];
  const reasons = new Map<string, number>();
  const count = { passed: 0, skipped: 0, failed: 0 };
  for (const { name, status: state, message, assertionResults } of report?.testResults ?? []) {
    const file = fileOf(name);
    if (state === "failed" && assertionResults.every((test) => test.status !== "failed")) {
      count.failed++;
      complaints.push(`${file}: ${firstLine(message)}`);
    }
    for (const test of assertionResults) {
      if (test.status === "passed") count.passed++;
      else if (test.status === "failed") {
        count.failed++;
        complaints.push(`${file}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
      } else {
        count.skipped++;
        const reason = skipOf(runtime, file, test.fullName, skips)?.reason ?? BY_ITSELF;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
  }
  complaints.push(...needless(ending, skips));
  if (status === undefined) complaints.push("cut off, because it did not end in its time");
  else if (report === undefined) complaints.push(`ended with ${status}, and without a report:\n${output}`);
  else if (status !== 0 && count.failed === 0) complaints.push(`ended with ${status}, though no test failed:\n${output}`);
  else if (count.passed === 0) complaints.push("no test has passed");
  const state = complaints.length === 0 ? "passed" : "failed";
  return { state, files: report?.testResults.length ?? 0, ...count, seconds, complaints, reasons };
}

/** Entries of skips.ts by which nothing was skipped. They cannot be told where only a part of the files is run. */
function needless({ runtime, report, isBoxed }: Ending, skips: readonly Skip[] | undefined): readonly string[] {
  if (report === undefined || isBoxed || skips === undefined) return [];
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName }) => ({ file: fileOf(name), fullName })),
  );
  const here = skips.filter((skip) => isOn(skip, runtime));
  const isThere = (skip: Skip, isIt: (name: string) => boolean) =>
    tests.some(({ file, fullName }) => file.startsWith(skip.files) && isIt(fullName));
  return here.flatMap((skip) => {
    const { files, test, names = [] } = skip;
    const absent = [...names].filter((name) => !isThere(skip, (each) => each === name)).map((name) => `"${name}"`);
    if (test !== undefined && !isThere(skip, (each) => test.test(each))) absent.push(String(test));
    return absent.map((name) => `skips.ts names ${name} in ${files}, and there is no such test`);
  });
}

export function fileOf(path: string): string {
  const at = path.lastIndexOf("/test/");
  return path.slice(at + 1);
}

function firstLine(text: string | undefined): string {
  return (text ?? "").trim().split("\n")[0] ?? "";
}
