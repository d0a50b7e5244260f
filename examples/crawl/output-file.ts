import { type FileHandle, open } from "node:fs/promises";
import { Lock, shield } from "creche";
import type { Entry } from "./journal.js";

/** A file with one line of JSON for each page. Whenever the program is cancelled, the file ends with a whole line. */
export class OutputFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #lock = new Lock();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<OutputFile> {
    return new OutputFile(await open(path, "w"));
  }

  /** Shielded: a page that has been visited gets its line, also if the job is cancelled at this moment. One line at a time, whole. */
  async append(entry: Entry): Promise<void> {
    await shield(() => this.#lock.run(() => this.#file.appendFile(`${JSON.stringify(recordOf(entry))}\n`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function recordOf({ url, depth, attempts, from, to, ending }: Entry) {
  return { url: url.href, depth, attempts, ms: to === undefined ? undefined : Math.round(to - from), ...ending };
}
