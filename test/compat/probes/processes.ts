import { type ChildProcess, exec, execFile, fork, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { family, probe, type Way } from "../harness/probe.js";
import { byCode, byMessage } from "./genuine.js";

const COMMANDS = { stall: "sleep 1000", complete: "true", fail: "exit 3" } as const;
const FILES: Readonly<Record<Way, readonly [string, ...(readonly string[])]>> = {
  stall: ["sleep", "1000"],
  complete: ["true"],
  fail: ["false"],
};

const ended = byMessage(/ended with 3|ended with 1/);

export default family(
  "Processes",
  probe({
    name: "promisify(exec)(command, { signal })",
    call: (way, { signal }) => promisify(exec)(COMMANDS[way], { signal }),
    genuine: byCode(3),
    note: "It kills the shell: what that has started may go on. `execFile` has none.",
  }),
  probe({
    name: "promisify(execFile)(file, args, { signal })",
    call: (way, { signal }) => promisify(execFile)(FILES[way][0], FILES[way].slice(1), { signal }),
    genuine: byCode(1),
  }),
  probe({
    name: "spawn(file, args, { signal })",
    call: (way, { signal }) => closed(spawn(FILES[way][0], FILES[way].slice(1), { signal })),
    genuine: ended,
    note: "It emits `error`, and `close` when the process has ended: wait for `close`.",
  }),
  probe({
    name: "fork(path, { signal })",
    setup: ({ folder }) => {
      const path = join(folder, "forked.mjs");
      writeFileSync(
        path,
        'if (process.argv[2] === "stall") setInterval(() => {}, 1e6); else process.exitCode = process.argv[2] === "fail" ? 3 : 0;',
      );
      return path;
    },
    call: (way, { signal }, path) => closed(fork(path, [way], { signal, execArgv: [] })),
    genuine: ended,
    note: "As `spawn`.",
  }),
);

/** The end of a process: after its `error`, if it had one. */
function closed(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
    });
    child.once("close", (code) => {
      if (failure !== undefined) reject(failure);
      else if (code === 0) resolve();
      else reject(new Error(`ended with ${code}`));
    });
  });
}
