import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isCancellation, moveOnAfter, now, openNursery, run } from "../../src/index.js";
import { simulate } from "../../src/testing/simulate.js";

const top = fileURLToPath(new URL("../..", import.meta.url));
const program = join(top, "examples/crawl/dist/main.js");
const folder = mkdtempSync(join(tmpdir(), "creche-crawl-"));

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, [".ci/setup.mjs", "examples/crawl"], { cwd: top, encoding: "utf8" });
  expect(status, stderr).toBe(0);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A line of the output file. */
interface Line {
  readonly url: string;
  readonly depth: number;
  readonly attempts: number;
  readonly outcome: "page" | "redirect" | "other" | "failed";
  readonly problem?: string;
  readonly target?: string;
  readonly type?: string;
  readonly title?: string;
}

interface Crawl {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly Line[];
  /** The same by path. */
  readonly at: ReadonlyMap<string, Line>;
}

let crawls = 0;

/** Runs the program to its end. `meanwhile` is told its output file. */
async function crawl(args: readonly string[], meanwhile?: (child: ChildProcess, file: string) => Promise<void>): Promise<Crawl> {
  const file = join(folder, `${++crawls}.ndjson`);
  const child = spawn(process.execPath, [program, "--out", file, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  await meanwhile?.(child, file);
  const status = await ended;
  const lines = linesOf(file);
  return { status, stdout: stdout(), stderr: stderr(), lines, at: new Map(lines.map((line) => [pathOf(line), line])) };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Every line, also the last one, has its end: otherwise the parser is given a part, and throws. */
function linesOf(file: string): Line[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function pathOf({ url }: Line): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** What the summary says beside a label. */
function summary({ stdout }: Crawl, label: string): string {
  return new RegExp(`^${label} +(.*)$`, "m").exec(stdout)?.[1] ?? "";
}

describe("the demo site", () => {
  let demo: Crawl;
  let again: Crawl;

  beforeAll(async () => {
    const args = ["--demo-pages", "12", "--page-timeout", "3000"];
    [demo, again] = await Promise.all([crawl(args), crawl([...args, "--concurrency", "4"])]);
  }, 120_000);

  test("is crawled to its end: status 0, and a summary that agrees with the file", () => {
    expect(demo.status).toBe(0);
    expect(demo.stdout).toMatch(/^crawled http:\/\/127\.0\.0\.1:\d+\/\n/);
    const of = (outcome: string) => demo.lines.filter((line) => line.outcome === outcome).length;
    expect(of("page")).toBeGreaterThan(30);
    expect(summary(demo, "pages")).toMatch(
      `${of("page")} read, ${of("redirect")} moved, ${of("other")} not HTML, ${of("failed")} failed; 8 attempts repeated`,
    );
    expect(summary(demo, "file")).toContain(`${demo.lines.length} lines`);
    expect(summary(demo, "unfinished")).toBe("");
  });

  test("has the same pages each time, whatever the concurrency", () => {
    const outcomes = (crawl: Crawl) => [...crawl.at].map(([path, { outcome, depth }]) => `${path} ${depth} ${outcome}`).sort();
    expect(outcomes(again)).toEqual(outcomes(demo));
  });

  test("no page is visited twice, none of another site or too far away", () => {
    expect(demo.at.size).toBe(demo.lines.length);
    expect(new Set(demo.lines.map(({ url }) => new URL(url).origin)).size).toBe(1);
    expect(Math.max(...demo.lines.map(({ depth }) => depth))).toBe(3);
  });

  test.each([
    ["a page without end that comes in drops is given up after the page timeout", "/odd/drip", "timeout", 1],
    ["a page that never answers, too", "/odd/stuck", "timeout", 1],
    ["a page without end that comes fast is given up when it is too large", "/odd/flood", "too large", 1],
    ["a page that always fails is tried four times", "/odd/broken", "HTTP 500", 4],
    ["a broken connection is tried four times", "/odd/cut", "network", 4],
    ["a page that is not there is not tried again", "/odd/gone", "HTTP 404", 1],
  ])("%s", (_, path, problem, attempts) => {
    expect(demo.at.get(path)).toMatchObject({ outcome: "failed", problem, attempts });
  });

  test("a page that fails twice is read at the third attempt, and a slow one at the first", () => {
    expect(demo.at.get("/odd/flaky")).toMatchObject({ outcome: "page", attempts: 3, title: "Third time lucky" });
    expect(demo.at.get("/odd/slow")).toMatchObject({ outcome: "page", attempts: 1 });
  });

  test("redirects are followed, but not in circles and not to other sites", () => {
    expect(demo.at.get("/odd/moved")).toMatchObject({ outcome: "redirect", depth: 1 });
    expect(demo.at.get("/odd/new-home")).toMatchObject({ outcome: "page", depth: 2 });
    expect(demo.at.get("/odd/loop")).toMatchObject({ outcome: "redirect" });
    expect(demo.at.get("/odd/loop?again")).toMatchObject({ outcome: "redirect" });
    expect(demo.at.get("/odd/away")).toMatchObject({ outcome: "redirect", target: "http://elsewhere.invalid/" });
  });

  test("what is not HTML is not read", () => {
    expect(demo.at.get("/odd/picture")).toMatchObject({ outcome: "other", type: "image/png" });
  });

  test("there is a timeline with a row for each of the pages at a time, and bars of the slowest pages", () => {
    const rows = (crawl: Crawl) => /timeline: .*\n((?: {2}[█▒·]{76}\n)+) {2}0 .* s\n/.exec(crawl.stdout)?.[1]?.split("\n").length ?? 0;
    expect(rows(demo) - 1).toBe(8);
    expect(rows(again) - 1).toBe(4);
    expect(demo.stdout).toMatch(/^ {2}·+▒{20,}·*\s+3\.\d s {2}\/odd\/stuck \(timeout\)$/m);
  });

  test("progress goes to stderr, as plain lines where that is no terminal", () => {
    expect(demo.stderr).toMatch(/^(\d+(\.\d)? s {2}\d+ pages? .*\n)+$/);
  });
});

describe("the end of the job", () => {
  test.concurrent("its deadline ends it: status 0, and it says so", async () => {
    const result = await crawl(["--deadline", "1200", "--demo-pages", "12"]);
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/^crawled a part of .*: the deadline of 1\.2 s has passed$/m);
    expect(summary(result, "unfinished")).toMatch(/^\d+ under way, \d+ waiting$/);
    expect(summary(result, "file")).toContain(`${result.lines.length} line`);
  });

  test.concurrent.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends it with status %i: what was read until then is kept and summed up", async (signal, status) => {
    const result = await crawl(["--demo-pages", "12"], async (child, file) => {
      while (!existsSync(file) || readFileSync(file, "utf8").split("\n").length < 5) await new Promise((next) => setTimeout(next, 10));
      child.kill(signal);
    });
    expect(result.status).toBe(status);
    expect(result.stdout).toMatch(new RegExp(`^crawled a part of .*: interrupted by ${signal}$`, "m"));
    expect(result.lines.length).toBeGreaterThanOrEqual(4);
    expect(result.at.has("/odd/stuck")).toBe(false);
    expect(summary(result, "unfinished")).toMatch(/^[1-8] under way, \d+ waiting$/);
    expect(summary(result, "file")).toContain(`${result.lines.length} lines`);
    expect(result.stdout).toContain("timeline:");
  });

  test.concurrent("a second SIGINT ends the program on the spot, whatever holds it up", async ({ onTestFinished }) => {
    const script = `
      import { currentScope, run, shield, sleep } from "creche";
      import { untilInterrupted } from "./dist/interrupt.js";
      await run(() => untilInterrupted(() => {
        currentScope().signal.addEventListener("abort", () => console.log("cancelled"));
        console.log("running");
        return shield(() => sleep(300_000));
      }));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: join(top, "examples/crawl") });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
    let lines = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      lines += chunk;
      child.kill("SIGINT");
    }
    expect(lines).toBe("running\ncancelled\n");
    expect(await ended).toBe("SIGINT");
  });

  test.concurrent("status 1 if not even the first page can be had, with the reason in the file", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((ready) => closed.once("listening", ready));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const result = await crawl([`http://127.0.0.1:${port}/`]);
    expect(result.status).toBe(1);
    expect(result.lines).toMatchObject([{ outcome: "failed", problem: "network", attempts: 4 }]);
  });

  test.concurrent("status 1 if the output file cannot be written, with the reason on stderr", async () => {
    const result = await crawl(["--out", join(folder, "missing/pages.ndjson"), "--demo-pages", "1"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("crawl: Error: ENOENT");
    expect(result.stdout).toBe("");
  });
});

describe("limits", () => {
  test.concurrent("--depth 0 reads one page", async () => {
    expect((await crawl(["--depth", "0", "--demo-pages", "1"])).lines).toMatchObject([{ depth: 0, outcome: "page" }]);
  });

  test.concurrent("--max-pages and --max-bytes", async () => {
    expect((await crawl(["--max-bytes", "500", "--demo-pages", "1"])).lines).toMatchObject([{ problem: "too large" }]);
    const result = await crawl(["--max-pages", "3", "--demo-pages", "3"]);
    expect(result.lines).toHaveLength(3);
    expect(summary(result, "left out")).toMatch(/^\d+ links over the limit$/);
  });

  test.concurrent("so many pages are fetched at a time as --concurrency says: never more, and no fewer", async () => {
    const asked: string[] = [];
    let held: ServerResponse[] = [];
    let most = 0;
    const html = (response: ServerResponse, body = "") => response.writeHead(200, { "content-type": "text/html" }).end(body);
    const links = Array.from({ length: 12 }, (_, i) => `<a href="/${i}#top">top</a><a href="/${i}">${i}</a>`);
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/") html(response, links.join(""));
      else held.push(response);
      most = Math.max(most, held.length);
      // Three are let go together, a little later, so that a fourth would be seen.
      if (held.length !== 3) return;
      setTimeout(() => {
        const free = held;
        held = [];
        for (const each of free) html(each);
      }, 30);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const result = await crawl([`http://127.0.0.1:${(server.address() as AddressInfo).port}/#fragment`, "--concurrency", "3"]);
    server.closeAllConnections();
    server.close();
    expect(result.lines.every(({ outcome }) => outcome === "page")).toBe(true);
    expect(most).toBe(3);
    expect(asked.sort()).toEqual(["/", ...Array.from({ length: 12 }, (_, i) => `/${i}`)].sort());
  });
});

describe("the command line", () => {
  const call = (args: readonly string[]) => spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });

  test.each([
    { args: ["--bogus"], complaint: "Unknown option '--bogus'" },
    { args: ["http://a/", "http://b/"], complaint: "one URL is expected, not 2" },
    { args: ["ftp://a/"], complaint: '"ftp://a/" is no URL that begins with http:// or https://' },
    { args: ["nonsense"], complaint: '"nonsense" is no URL' },
    { args: ["--concurrency", "0"], complaint: '--concurrency takes a whole number from 1 on, not "0"' },
    { args: ["--deadline=-1"], complaint: '--deadline takes a whole number from 1 on, not "-1"' },
    { args: ["--depth", "1.5"], complaint: '--depth takes a whole number from 0 on, not "1.5"' },
    { args: ["--page-timeout", "1e3"], complaint: '--page-timeout takes a whole number from 1 on, not "1e3"' },
  ])("$args is refused with the usage, on stderr, and status 2", ({ args, complaint }) => {
    const { status, stdout, stderr } = call(args);
    expect(stderr).toContain(`crawl: ${complaint}`);
    expect(stderr).toContain("usage: npm start -- [URL] [options]");
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  test("--help prints the usage", () => {
    const { status, stdout, stderr } = call(["--help"]);
    expect(stdout).toMatch(/^usage: npm start/);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("every option that is parsed is in the usage", async () => {
    const { parseOptions, USAGE } = await load<{ parseOptions: (args: string[]) => object; USAGE: string }>("options");
    const options = Object.keys(parseOptions([])).filter((key) => key !== "start");
    for (const key of options) expect(USAGE).toContain(`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `);
  });
});

/** A module of the example. It is loaded by name, so that the compiler does not take it for a part of the tests, which are built before it. */
async function load<M>(name: string): Promise<M> {
  return (await import(`../../examples/crawl/${name}.ts`)) as M;
}

describe("retry", () => {
  type Retry = <T>(attempt: () => Promise<T>, patience: object) => Promise<T>;
  const patience = { attempts: 4, delay: 100, isTransient: (error: unknown) => error instanceof RangeError, random: () => 1 };
  let retry: Retry;

  beforeAll(async () => {
    ({ retry } = await load<{ retry: Retry }>("retry"));
  });

  test("waits twice as long each time, and throws the last error", async () => {
    const starts: number[] = [];
    const fail = async () => {
      starts.push(now());
      throw new RangeError(`attempt ${starts.length}`);
    };
    await expect(simulate(() => retry(fail, patience))).rejects.toThrow("attempt 4");
    expect(starts).toEqual([0, 100, 300, 700]);
  });

  test("takes between a half and the whole of each delay", () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (share) => {
        let failures = 1;
        const once = async () => {
          if (failures-- > 0) throw new RangeError("not yet");
          return now();
        };
        expect(await simulate(() => retry(once, { ...patience, random: () => share }))).toBeCloseTo(50 + 50 * share, 6);
      }),
      { numRuns: 30 },
    ));

  test("tries at once what is no transient error no second time", async () => {
    let attempts = 0;
    const fail = async () => {
      attempts++;
      throw new TypeError("for good");
    };
    await expect(simulate(() => retry(fail, patience))).rejects.toThrow("for good");
    expect(attempts).toBe(1);
  });

  test("a deadline ends it between two attempts", async () => {
    const attempts: number[] = [];
    const fail = async () => {
      attempts.push(now());
      throw new RangeError("again");
    };
    const result = await simulate(async () => {
      const value = await moveOnAfter(250, () => retry(fail, patience));
      return { value, at: now() };
    });
    expect(result).toEqual({ value: undefined, at: 250 });
    expect(attempts).toEqual([0, 100]);
  });
});

describe("chart", () => {
  interface Span {
    readonly from: number;
    readonly to: number;
    readonly failed: boolean;
  }
  interface Chart {
    lanes(spans: readonly Span[]): Span[][];
    bar(spans: readonly Span[], frame: { from: number; to: number; columns: number }): string;
  }
  const anySpans = fc.array(
    fc
      .record({ from: fc.nat(1_000), length: fc.integer({ min: 1, max: 300 }), failed: fc.boolean() })
      .map(({ from, length, failed }) => ({ from, to: from + length, failed })),
    { maxLength: 40 },
  );
  let chart: Chart;

  beforeAll(async () => {
    chart = await load<Chart>("chart");
  });

  test("lanes: every span in one, none overlapping, as many as overlap at most", () =>
    fc.assert(
      fc.property(anySpans, (spans) => {
        const lanes = chart.lanes(spans);
        expect(new Set(lanes.flat())).toEqual(new Set(spans));
        for (const lane of lanes) {
          for (const [i, span] of lane.entries()) expect(span.from).toBeGreaterThanOrEqual(lane[i - 1]?.to ?? 0);
        }
        const underWay = spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length);
        expect(lanes).toHaveLength(Math.max(0, ...underWay));
      }),
    ));

  test("a bar has one sign a column, and a failure shows however short it is", () =>
    fc.assert(
      fc.property(anySpans, fc.integer({ min: 1, max: 100 }), (spans, columns) => {
        const bar = chart.bar(spans, { from: 0, to: 1_300, columns });
        expect(bar).toMatch(new RegExp(`^[█▒·]{${columns}}$`));
        expect(bar.includes("▒")).toBe(spans.some(({ failed }) => failed));
      }),
    ));

  test("busy for at least half of a column is busy", () => {
    const spans = [
      { from: 0, to: 10, failed: false },
      { from: 15, to: 20, failed: false },
      { from: 26, to: 28, failed: false },
      { from: 41, to: 42, failed: true },
    ];
    expect(chart.bar(spans, { from: 0, to: 50, columns: 5 })).toBe("██··▒");
  });
});

describe("pages", () => {
  interface Html {
    readonly title: string;
    readonly links: readonly URL[];
    readonly text: string;
  }
  interface Reader {
    write(html: string): void;
    end(): Html;
  }
  const html = `<title>One &amp; two</title><base href="/deep/"><style>p { color: red }</style><p>Caf&eacute; <a href="a?b=1&amp;c=2#x">first</a>
    <a href="a?b=1&amp;c=2#y">again</a><a href="mailto:me@example.com">mail</a><a href="https://other.example/">other</a></p><script>let x = "no";</script>`;

  test("are read the same however they are cut into pieces", async () => {
    const { HtmlReader } = await load<{ HtmlReader: new (url: URL) => Reader }>("html-reader");
    fc.assert(
      fc.property(fc.array(fc.nat(html.length), { maxLength: 20 }), (cuts) => {
        const reader = new HtmlReader(new URL("http://site.example/page"));
        const ends = [...cuts.sort((a, b) => a - b), html.length];
        ends.forEach((end, i) => {
          reader.write(html.slice(ends[i - 1] ?? 0, end));
        });
        const { title, links, text } = reader.end();
        expect(title).toBe("One & two");
        expect(links.map(String)).toEqual(["http://site.example/deep/a?b=1&c=2", "https://other.example/"]);
        expect(text.split(/\s+/).filter(Boolean)).toEqual(["One", "&", "two", "Café", "first", "again", "mail", "other"]);
      }),
    );
  });

  test("words are counted regardless of case, without common ones and addresses, each page once", async () => {
    interface Index {
      add(text: string): void;
      top(count: number): { word: string; times: number; pages: number }[];
    }
    const { WordIndex } = await load<{ WordIndex: new () => Index }>("word-index");
    const index = new WordIndex();
    index.add("The nursery, the Nursery and https://nursery.example/nursery: a scope of 12 tasks");
    index.add("Nursery! me@nursery.example Überraschung");
    expect(index.top(3)).toEqual([
      { word: "nursery", times: 3, pages: 2 },
      { word: "scope", times: 1, pages: 1 },
      { word: "tasks", times: 1, pages: 1 },
    ]);
    expect(index.top(10).map(({ word }) => word)).toEqual(["nursery", "scope", "tasks", "überraschung"]);
  });

  test("the output file has whole lines, one at a time, also of those who are cancelled while they write", async () => {
    interface Output {
      append(entry: object): Promise<void>;
      [Symbol.asyncDispose](): Promise<void>;
    }
    const { OutputFile } = await load<{ OutputFile: { create(path: string): Promise<Output> } }>("output-file");
    const file = join(folder, "output.ndjson");
    const entry = (n: number) => ({
      url: new URL(`http://site.example/${n}`),
      depth: 0,
      attempts: 1,
      from: 0,
      to: 1,
      title: "x".repeat(9_999),
    });
    let cancelled = 0;
    await run(async (root) => {
      const output = root.use(await OutputFile.create(file));
      await openNursery(async (nursery) => {
        for (let n = 0; n < 50; n++) {
          nursery.startSoon(async (task) => {
            await output.append(entry(n));
            if (n === 10) nursery.cancel("enough");
            try {
              task.throwIfCancelled();
            } catch (error) {
              if (isCancellation(error)) cancelled++;
            }
          });
        }
      });
    });
    expect(linesOf(file).map(({ url }) => url)).toEqual(Array.from({ length: 50 }, (_, n) => `http://site.example/${n}`));
    expect(cancelled).toBe(40);
  });
});
