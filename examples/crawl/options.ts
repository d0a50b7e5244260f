// The command line.
import { parseArgs } from "node:util";
import { pageUrl } from "./page-url.js";

export const USAGE = `usage: npm start -- [URL] [options]

Crawls the pages of one site and indexes their words. Without URL, the site is a demo: documents found on this machine,
served from a free port of this machine, with some pages that are slow, broken, flaky, moved or endless.

  --concurrency N     pages fetched at a time (8)
  --page-timeout MS   for one page, with its retries (5000)
  --deadline MS       for the whole job (60000)
  --depth N           how many links away from URL a page may be (3)
  --max-pages N       stops following links after so many pages (10000)
  --max-bytes N       a page longer than that is given up (2000000)
  --out FILE          one line of JSON for each page (pages.ndjson)
  --demo-pages N      how many documents the demo site has; by default all that are found
  --help

Exit status: 0 if the job was done or its deadline passed, 1 if not even URL could be fetched, 2 for a wrong command line,
130 after Ctrl-C. A second Ctrl-C ends the program on the spot.`;

export interface Options {
  /** Where to begin; the demo site if there is none. */
  readonly start: URL | undefined;
  readonly concurrency: number;
  readonly pageTimeout: number;
  readonly deadline: number;
  readonly depth: number;
  readonly maxPages: number;
  readonly maxBytes: number;
  readonly out: string;
  readonly demoPages: number;
}

/** The command line cannot be understood. */
export class UsageProblem extends Error {}

export function parseOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  if (positionals.length > 1) throw new UsageProblem(`one URL is expected, not ${positionals.length}`);
  return {
    start: positionals[0] === undefined ? undefined : webAddress(positionals[0]),
    concurrency: wholeNumber("concurrency", values.concurrency, 1) ?? 8,
    pageTimeout: wholeNumber("page-timeout", values["page-timeout"], 1) ?? 5_000,
    deadline: wholeNumber("deadline", values.deadline, 1) ?? 60_000,
    depth: wholeNumber("depth", values.depth, 0) ?? 3,
    maxPages: wholeNumber("max-pages", values["max-pages"], 1) ?? 10_000,
    maxBytes: wholeNumber("max-bytes", values["max-bytes"], 1) ?? 2_000_000,
    out: values.out ?? "pages.ndjson",
    demoPages: wholeNumber("demo-pages", values["demo-pages"], 1) ?? Number.POSITIVE_INFINITY,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        concurrency: { type: "string" },
        "page-timeout": { type: "string" },
        deadline: { type: "string" },
        depth: { type: "string" },
        "max-pages": { type: "string" },
        "max-bytes": { type: "string" },
        out: { type: "string" },
        "demo-pages": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageProblem(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
    throw new UsageProblem(`--${name} takes a whole number from ${least} on, not "${text}"`);
  }
  return value;
}

function webAddress(text: string): URL {
  const url = pageUrl(text);
  if (url === undefined) throw new UsageProblem(`"${text}" is no URL that begins with http:// or https://`);
  return url;
}
