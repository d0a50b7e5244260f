import { scheduler, setImmediate, setInterval, setTimeout } from "node:timers/promises";
import { family, probe, type Scope } from "../harness/probe.js";
import { byCode } from "./genuine.js";

const LONG = 1e6;
const invalid = byCode("ERR_INVALID_ARG_TYPE");
/** What no timer takes. */
const WRONG = "soon" as unknown as boolean;

export default family(
  "Timers",
  probe({
    name: "setTimeout(ms, value, task)",
    call: (way, task) =>
      way === "fail" ? setTimeout(1, 1, { signal: task.signal, ref: WRONG }) : setTimeout(way === "stall" ? LONG : 1, 1, task),
    genuine: invalid,
  }),
  probe({
    name: "setImmediate(value, task)",
    // It has no way to wait: what is cancelled is the turn of the loop that it takes.
    call: async (way, task) => {
      if (way === "fail") return setImmediate(1, { signal: task.signal, ref: WRONG });
      do await setImmediate(1, task);
      while (way === "stall");
      return undefined;
    },
    genuine: invalid,
  }),
  probe({
    name: "for await (… of setInterval(ms, value, task))",
    call: async (way, task) => {
      for await (const _ of intervalOf(way, task)) if (way === "complete") return;
    },
    genuine: invalid,
  }),
  probe({
    name: "scheduler.wait(ms, task)",
    call: (way, task) =>
      way === "fail" ? scheduler.wait("soon" as unknown as number, task) : scheduler.wait(way === "stall" ? LONG : 1, task),
    genuine: invalid,
  }),
);

function intervalOf(way: string, task: Scope) {
  return way === "fail" ? setInterval(1, 1, { signal: task.signal, ref: WRONG }) : setInterval(way === "stall" ? LONG : 1, 1, task);
}
