import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaNode } from "execa";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

const COMMANDS: Readonly<Record<Way, readonly [string, ...(readonly string[])]>> = {
  stall: ["sleep", "1000"],
  complete: ["true"],
  fail: ["false"],
};

/** A program that waits until it is asked to end. */
const GRACEFUL = `
import { getCancelSignal } from ${JSON.stringify(import.meta.resolve("execa"))};
import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
if (process.argv[2] === "stall") {
  const signal = await getCancelSignal();
  writeFileSync(process.argv[1] + ".ready", "");
  await setTimeout(1e6, undefined, { signal });
} else process.exitCode = process.argv[2] === "fail" ? 1 : 0;
`;

const genuine = (error: unknown) => byMessage(/exit code 1/)(error) && (error as { isCanceled?: boolean }).isCanceled !== true;

export default family(
  "execa",
  probe({
    name: "execa(file, args, { cancelSignal })",
    call: (way, { signal }) => execa(COMMANDS[way][0], COMMANDS[way].slice(1), { cancelSignal: signal }),
    genuine,
  }),
  probe({
    name: "execaNode(path, args, { cancelSignal, gracefulCancel: true })",
    setup: ({ folder }: Kit) => {
      const path = join(folder, "graceful.mjs");
      writeFileSync(path, GRACEFUL);
      return path;
    },
    reached: (path) => existsSync(`${path}.ready`),
    call: (way, { signal }, path) => execaNode(path, [way], { cancelSignal: signal, gracefulCancel: true, nodeOptions: [] }),
    genuine,
    note: "It ends when the program does, which has to look at `getCancelSignal()`. If that fails then, execa counts it as cancelled.",
  }),
);
