// What the crawl knows: the links it has seen, what became of each page, and the words of all of them. Nothing here waits.
import { now } from "creche";
import { WordIndex } from "./word-index.js";

export type Ending =
  | { readonly outcome: "page"; readonly status: number; readonly bytes: number; readonly title: string; readonly links: number }
  | { readonly outcome: "redirect"; readonly status: number; readonly target: string }
  | { readonly outcome: "other"; readonly status: number; readonly type: string }
  | { readonly outcome: "failed"; readonly problem: string; readonly why: string };

/** One page, from the beginning of its visit. */
export interface Entry {
  readonly url: URL;
  readonly depth: number;
  readonly from: number;
  attempts: number;
  to?: number;
  /** Missing while it is visited, and for ever if the job ended before. */
  ending?: Ending;
}

export interface Limits {
  readonly depth: number;
  readonly maxPages: number;
}

export class Journal {
  readonly start: URL;
  readonly began = now();
  readonly entries: Entry[] = [];
  readonly words = new WordIndex();
  readonly leftOut = { "to other sites": 0, "too far away": 0, "over the limit": 0 };
  closed = 0;
  failed = 0;
  bytes = 0;
  readonly #seen = new Set<string>();

  constructor(start: URL) {
    this.start = start;
  }

  /** Whether a link is to be visited. It is asked once: the next time the link is no longer new, also if it is found nearer to the start then. */
  admit(link: URL, depth: number, limits: Limits): boolean {
    if (this.#seen.has(link.href)) return false;
    if (link.origin !== this.start.origin) this.leftOut["to other sites"]++;
    else if (depth > limits.depth) this.leftOut["too far away"]++;
    else if (this.#seen.size >= limits.maxPages) this.leftOut["over the limit"]++;
    else {
      this.#seen.add(link.href);
      return true;
    }
    return false;
  }

  open(url: URL, depth: number): Entry {
    const entry = { url, depth, from: now(), attempts: 0 };
    this.entries.push(entry);
    return entry;
  }

  close(entry: Entry, ending: Ending, text: string): void {
    entry.to = now();
    entry.ending = ending;
    this.closed++;
    if (ending.outcome === "failed") this.failed++;
    if (ending.outcome === "page") this.bytes += ending.bytes;
    this.words.add(text);
  }

  get underWay(): number {
    return this.entries.length - this.closed;
  }

  get waiting(): number {
    return this.#seen.size - this.entries.length;
  }

  /** Whether there was nothing to crawl, because the first page failed. */
  get isStartUnreachable(): boolean {
    return this.entries[0]?.ending?.outcome === "failed";
  }
}
