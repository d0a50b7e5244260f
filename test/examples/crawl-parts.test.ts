import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isCancellation, moveOnAfter, now, openNursery, run } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { linesOf, load } from "./crawl-support.js";

const folder = mkdtempSync(join(tmpdir(), "creche-crawl-parts-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
