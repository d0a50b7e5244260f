import { setTimeout } from "node:timers/promises";
import pLimit from "p-limit";
import PQueue from "p-queue";
import pRetry from "p-retry";
import pTimeout from "p-timeout";
import { family, probe, type Scope, type Way } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

const genuine = byMessage(/meant to fail/);
const LONG = 1e6;

export default family(
  "p-limit, p-queue, p-retry, p-timeout",
  probe({
    name: "p-limit: limit(() => work(task))",
    call: (way, task) => pLimit(1)(() => work(way, task)),
    genuine,
    note: "It takes no signal, the work does.",
  }),
  probe({
    name: "p-limit: limit(…), while it waits for its turn",
    setup: ({ defer }) => {
      const limit = pLimit({ concurrency: 1, rejectOnClear: true });
      return { limit, free: occupied(defer, (occupant) => limit(occupant)) };
    },
    call: async (way, task, { limit, free }, wrap) => {
      if (way !== "stall") await free();
      const job = () => work(way, task);
      return wrap(() => limit(job), { onCancel: () => limit.clearQueue() }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "Made with `rejectOnClear: true`. The queue of everybody is cleared: a `CapacityLimiter` leaves it to the one.",
  }),
  probe({
    name: "p-queue: queue.add(() => work(task), { signal })",
    call: (way, task) => new PQueue({ concurrency: 1 }).add(() => work(way, task), { signal: task.signal }),
    genuine,
  }),
  probe({
    name: "p-queue: queue.add(…, { signal }), while it waits for its turn",
    setup: ({ defer }) => {
      const queue = new PQueue({ concurrency: 1 });
      return { queue, free: occupied(defer, (occupant) => queue.add(occupant)) };
    },
    call: async (way, task, { queue, free }) => {
      if (way !== "stall") await free();
      return queue.add(() => work(way, task), { signal: task.signal });
    },
    genuine,
  }),
  probe({
    name: "p-retry: pRetry(() => work(task), { signal })",
    call: (way, task) => pRetry(() => work(way, task), { signal: task.signal, retries: 0 }),
    genuine,
    note: "Its signal ends the wait between two attempts; an attempt has to be given the signal, too.",
  }),
  probe({
    name: "p-retry: pRetry(…, { signal }), before it tries again",
    call: (way, task) =>
      pRetry(() => work(way === "stall" ? "fail" : way, task), {
        signal: task.signal,
        retries: way === "stall" ? 5 : 0,
        minTimeout: LONG,
        maxTimeout: LONG,
      }),
    genuine,
  }),
  probe({
    name: "p-timeout: pTimeout(work(task), { milliseconds, signal })",
    call: (way, task) => pTimeout(work(way, task), { milliseconds: LONG, signal: task.signal }),
    genuine,
  }),
);

async function work(way: Way, task: Scope): Promise<string> {
  await setTimeout(way === "stall" ? LONG : 1, undefined, task);
  if (way === "fail") throw new Error("meant to fail");
  return "done";
}

/** Takes the only place, until it is freed, or the scenario is over. */
function occupied(defer: (cleanup: () => unknown) => void, start: (occupant: () => Promise<unknown>) => Promise<unknown>) {
  const leave = new AbortController();
  const gone = start(() => setTimeout(LONG, undefined, { signal: leave.signal }).catch(() => {}));
  const free = () => {
    leave.abort();
    return gone;
  };
  defer(free);
  return free;
}
