import { family, probe } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

interface Locks {
  request<T>(name: string, options: { readonly signal?: AbortSignal }, callback: () => T): Promise<Awaited<T>>;
}

let made = 0;

export default family(
  "Web locks",
  probe({
    name: "navigator.locks.request(name, task, callback), while another one holds it",
    since: 24,
    setup: async ({ defer }) => {
      const { locks } = navigator as unknown as { locks: Locks };
      const name = `lock ${made++}`;
      let leave = () => {};
      const held = locks.request(name, {}, () => {
        return new Promise<void>((resolve) => {
          leave = resolve;
        });
      });
      defer(() => leave());
      return { locks, name, leave: () => leave(), held };
    },
    call: async (way, task, { locks, name, leave, held }) => {
      if (way !== "stall") {
        leave();
        await held;
      }
      return locks.request(name, { signal: task.signal }, () => {
        if (way === "fail") throw new Error("meant to fail");
      });
    },
    genuine: byMessage(/meant to fail/),
    note: "It covers the wait; the callback has to look at the task itself.",
  }),
);
