import { createInterface as createInterfaceWithCallbacks } from "node:readline";
import { createInterface } from "node:readline/promises";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { byCode } from "./genuine.js";

const closed = byCode("ERR_USE_AFTER_CLOSE");

export default family(
  "readline",
  probe({
    name: "readline.question(query, task)",
    setup: (kit) => closing(kit, (input) => createInterface({ input })),
    call: (way, task, { lines, input }) => {
      answer(way, input, lines);
      return lines.question("?", task);
    },
    genuine: closed,
  }),
  probe({
    name: "promisify(readline.question)(query, { signal })",
    setup: (kit) => closing(kit, (input) => createInterfaceWithCallbacks({ input })),
    call: (way, { signal }, { lines, input }) => {
      answer(way, input, lines);
      const question = promisify(lines.question).bind(lines) as (query: string, options: { signal: AbortSignal }) => Promise<unknown>;
      return question("?", { signal });
    },
    genuine: closed,
  }),
  probe({
    name: "readline.question(query, { signal }, callback)",
    setup: (kit) => closing(kit, (input) => createInterfaceWithCallbacks({ input })),
    call: (way, task, { lines, input }, wrap) => {
      answer(way, input, lines);
      return wrap((signal) => new Promise((resolve) => lines.question("?", { signal }, resolve)), { settle: "now" }, task);
    },
    genuine: closed,
    note: "The question is dropped without a word: its callback is never called.",
  }),
  probe({
    name: "readline.question(query), of createInterface({ input, signal })",
    call: async (way, task, _env, wrap) => {
      const input = new PassThrough();
      const lines = createInterface({ input, signal: task.signal });
      answer(way, input, lines);
      try {
        return await wrap(() => lines.question("?"), { settle: "now" }, task);
      } finally {
        lines.close();
      }
    },
    genuine: closed,
    note: "The interface is closed, and its question is never answered.",
  }),
  probe({
    name: "for await (… of createInterface({ input, signal }))",
    call: async (way, { signal }) => {
      const input = new PassThrough();
      if (way === "complete") input.end("line\n");
      for await (const _ of createInterface({ input, signal }));
    },
    resolves: true,
  }),
);

function closing<L extends { close(): void }>(
  { defer }: Kit,
  open: (input: PassThrough) => L,
): { readonly lines: L; readonly input: PassThrough } {
  const input = new PassThrough();
  const lines = open(input);
  defer(() => lines.close());
  return { lines, input };
}

function answer(way: Way, input: PassThrough, lines: { close(): void }): void {
  if (way === "complete") setImmediate(() => input.write("answer\n"));
  if (way === "fail") lines.close();
}
