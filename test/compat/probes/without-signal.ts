import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { transferableAbortSignal } from "node:util";
import { type MessagePort, Worker } from "node:worker_threads";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { HOST } from "../servers/site.js";
import { byCode, byMessage } from "./genuine.js";

export default family(
  "Built-ins without a signal",
  probe({
    name: "resolver.resolve4(name)",
    setup: nameServer,
    call: (way, task, { resolver }, wrap) => {
      const name = `${way}.example`;
      return wrap(() => resolver.resolve4(name), { onCancel: () => resolver.cancel() }, task);
    },
    takesNoSignal: true,
    genuine: byCode("ENOTFOUND"),
  }),
  probe({
    name: 'once(worker, "exit")',
    call: (way, task, _env, wrap) => {
      const source = WORKER[way];
      let worker: Worker;
      return wrap(
        () => {
          worker = new Worker(source, { eval: true });
          return once(worker, "exit");
        },
        { onCancel: () => worker.terminate() },
        task,
      );
    },
    takesNoSignal: true,
    genuine: byMessage(/meant to fail/),
    resolves: true,
  }),
  probe({
    name: 'once(worker, "exit"), of a worker that has util.transferableAbortSignal(task.signal)',
    call: (way, task) => {
      const signal = transferableAbortSignal(task.signal);
      return once(
        new Worker(LISTENER, { eval: true, workerData: { way, signal }, transferList: [signal as unknown as MessagePort] }),
        "exit",
      );
    },
    genuine: byMessage(/meant to fail/),
  }),
);

/** What a worker gets: what to do, and a signal. */
const LISTENER = `
const { workerData: { way, signal } } = require("node:worker_threads");
const { setTimeout } = require("node:timers/promises");
setTimeout(way === "stall" ? 1e6 : 1, undefined, { signal }).then(() => {
  if (way === "fail") throw new Error("meant to fail");
});
`;

const WORKER: Readonly<Record<Way, string>> = {
  stall: "setInterval(() => {}, 1e6)",
  complete: "",
  fail: 'throw new Error("meant to fail")',
};

const NO_SUCH_NAME = 3;

/** A name server that answers, says that there is no such name, or nothing at all. */
async function nameServer({ defer }: Kit): Promise<{ readonly resolver: Resolver }> {
  const server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    const way = query.toString("latin1", 13, 13 + (query[12] ?? 0));
    if (way === "stall") return;
    const answer = Buffer.from(query.subarray(0, query.indexOf(0, 12) + 5));
    // The flags: an answer, and whether the name was found. Then how many questions, answers, authorities and additional records.
    answer.writeUInt16BE(0x8180 | (way === "fail" ? NO_SUCH_NAME : 0), 2);
    answer.writeUInt16BE(way === "fail" ? 0 : 1, 6);
    answer.writeUInt32BE(0, 8);
    const record = Buffer.from("c00c00010001000000000004" + "7f000001", "hex");
    server.send(way === "fail" ? answer : Buffer.concat([answer, record]), port, address);
  });
  await new Promise<void>((resolve) => server.bind(0, HOST, resolve));
  defer(() => new Promise<void>((resolve) => server.close(resolve)));
  const resolver = new Resolver({ timeout: 60_000, tries: 1 });
  resolver.setServers([`${HOST}:${server.address().port}`]);
  return { resolver };
}
