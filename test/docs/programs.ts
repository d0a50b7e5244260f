import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "node:util";
import { vi } from "vitest";
import { root } from "./pages.js";
import { lineOnPage, programOf, type Snippet } from "./snippets.js";

/** Where a program gets its `run` from if no time is to pass. */
const IN_VIRTUAL_TIME = `
export * from ${JSON.stringify(join(root, "src/index.ts"))};
export { simulate as run } from ${JSON.stringify(join(root, "test/support/simulate.ts"))};
`;

/** What waits for something that is not of the library, whose time is real; and what has virtual time of its own. */
const TAKES_REAL_TIME = /from "(node:|creche\/node|creche\/testing)|\b(fetch|setTimeout|AbortSignal\.timeout)\(/;

/** What looks at what is open of the platform, timers above all. */
const LOOKS_AT_TIMERS = /from "creche\/testing/;

/** Longer than the timer with which the test runner reports that a test has begun, in ms. */
const REPORTED = 150;

/** Snippets as files in a folder of their own: to be compiled as they are, all at once, and to be run, one by one. */
export class Programs {
  readonly #folder = mkdtempSync(join(tmpdir(), "creche-snippets-"));
  readonly #snippets: readonly Snippet[];

  constructor(snippets: readonly Snippet[]) {
    this.#snippets = snippets;
    mkdirSync(join(this.#folder, "run"));
    this.#write("package.json", '{ "type": "module" }');
    this.#write("run/in-virtual-time.ts", IN_VIRTUAL_TIME);
    snippets.forEach((snippet, i) => {
      const program = programOf(snippet);
      this.#write(`snippet-${i}.ts`, program);
      this.#write(
        `run/snippet-${i}.ts`,
        TAKES_REAL_TIME.test(program) ? program : program.replaceAll('from "creche"', 'from "./in-virtual-time.ts"'),
      );
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the compiler finds wrong with them, by the lines of the pages. */
  complaints(): string[] {
    const at = (file: string) => [join(root, file)];
    const paths = {
      creche: at("src/index.ts"),
      "creche/node": at("src/node/index.ts"),
      "creche/testing": at("src/testing/index.ts"),
      "creche/testing/fast-check": at("src/testing/fast-check/index.ts"),
      "fast-check": at("node_modules/fast-check/lib/fast-check.d.ts"),
      "#context": at("src/kernel/context.node.ts"),
    };
    const options = { rootDir: "/", noUnusedLocals: false, noUnusedParameters: false, typeRoots: at("node_modules/@types"), paths };
    const config = { extends: join(root, "tsconfig.json"), compilerOptions: options, include: ["snippet-*.ts"], exclude: [] };
    this.#write("tsconfig.json", JSON.stringify(config));
    const { stdout, status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", this.#folder], {
      encoding: "utf8",
    });
    const complaints = stdout
      .split("\n")
      .filter((line) => line.includes("error TS"))
      .map((line) => {
        const [, number, at, what] = /snippet-(\d+)\.ts\((\d+),\d+\): error (.*)$/.exec(line) ?? [];
        const snippet = this.#snippets[Number(number)];
        return snippet === undefined ? line : `${snippet.page}:${lineOnPage(snippet, Number(at))} ${what}`;
      });
    return status === 0 || complaints.length > 0 ? complaints : [`the compiler ended with ${status}: ${stdout}`];
  }

  /** Runs one, and returns what it prints by console.log, line by line. */
  async outputOf(snippet: Snippet): Promise<string[]> {
    const lines: string[] = [];
    // A timer that ended during the run would be taken for one of the run.
    if (LOOKS_AT_TIMERS.test(snippet.code)) await new Promise((resolve) => setTimeout(resolve, REPORTED));
    const log = vi.spyOn(console, "log").mockImplementation((...given) => void lines.push(...format(...given).split("\n")));
    try {
      await import(/* @vite-ignore */ join(this.#folder, `run/snippet-${this.#snippets.indexOf(snippet)}.ts`));
    } finally {
      log.mockRestore();
    }
    // Reports tell where tasks wait: by the lines of the block, whatever its file is called.
    return lines.map((line) => line.replace(/snippet-\d+\.ts:(\d+)/g, (_, inFile) => `example.ts:${Number(inFile) - 1}`));
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }
}
