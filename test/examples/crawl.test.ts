import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Line, linesOf, load } from "./crawl-support.js";

const top = fileURLToPath(new URL("../..", import.meta.url));
const program = join(top, "examples/crawl/dist/main.js");
const folder = mkdtempSync(join(tmpdir(), "creche-crawl-"));

beforeAll(() => {
  // Another runtime would install everything anew, under the tests that run beside: `npm run runtimes` has done it.
  if (process.env["SUITE_RUNTIME"] !== undefined) return;
  const { status, stderr } = spawnSync(process.execPath, [".ci/setup.mjs", "examples/crawl"], { cwd: top, encoding: "utf8" });
  expect(status, stderr).toBe(0);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
