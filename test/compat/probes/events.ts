import { addAbortListener, EventEmitter, on, once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { aborted } from "node:util";
import { family, probe, type Way } from "../harness/probe.js";
import { byCode, byMessage } from "./genuine.js";

const invalid = byCode("ERR_INVALID_ARG_TYPE");
const NOTHING = undefined as unknown as AbortSignal;
const NO_TARGET = {} as EventTarget;

export default family(
  "Events and signals",
  probe({
    name: "once(emitter, event, task)",
    call: (way, task) => once(emitting(way), "done", task),
    genuine: byMessage(/meant to fail/),
  }),
  probe({
    name: "once(eventTarget, event, task)",
    call: (way, task) => once(way === "fail" ? NO_TARGET : dispatching(way), "done", task),
    genuine: invalid,
  }),
  probe({
    name: "for await (… of on(emitter, event, task))",
    call: async (way, task) => {
      for await (const _ of on(emitting(way), "done", task)) return;
    },
    genuine: byMessage(/meant to fail/),
  }),
  probe({
    name: "for await (… of on(eventTarget, event, task))",
    call: async (way, task) => {
      // Its types know emitters only.
      const target = (way === "fail" ? NO_TARGET : dispatching(way)) as unknown as EventEmitter;
      for await (const _ of on(target, "done", task)) return;
    },
    genuine: invalid,
  }),
  probe({
    name: "eventTarget.addEventListener(event, listener, { signal })",
    call: (way, task, _env, wrap) => {
      const target = dispatching(way);
      return wrap(
        (signal) => new Promise((resolve) => target.addEventListener("done", resolve, { once: true, signal })),
        { settle: "now" },
        task,
      );
    },
    note: "The listener is removed without a word: nothing tells whoever waits for the event.",
  }),
  probe({
    name: "addAbortListener(task.signal, listener)",
    call: (way, task) => {
      if (way === "fail") return Promise.resolve(addAbortListener(NOTHING, () => {}));
      return new Promise<void>((resolve) => {
        const listening = addAbortListener(task.signal, () => resolve());
        if (way === "stall") return;
        listening[Symbol.dispose]();
        resolve();
      });
    },
    genuine: invalid,
    resolves: true,
  }),
  probe({
    name: "util.aborted(task.signal, resource)",
    setup: () => ({}),
    call: async (way, task, resource) => {
      const waiting = aborted(way === "fail" ? NOTHING : task.signal, resource);
      if (way !== "complete") await waiting;
    },
    genuine: invalid,
    resolves: true,
    note: "Its promise never settles if nothing else holds the resource.",
  }),
  probe({
    name: "AbortSignal.any([task.signal, another])",
    call: (way, task) => {
      const either = AbortSignal.any([task.signal, new AbortController().signal]);
      return setTimeout(
        way === "stall" ? 1e6 : 1,
        1,
        way === "fail" ? { signal: either, ref: "no" as unknown as boolean } : { signal: either },
      );
    },
    genuine: invalid,
  }),
);

function emitting(way: Way): EventEmitter {
  const emitter = new EventEmitter();
  // A failure that comes after the cancellation is nobody's, and an emitter throws what nobody listens to.
  emitter.on("error", () => {});
  if (way === "complete") setImmediate(() => emitter.emit("done", 1));
  if (way === "fail") setImmediate(() => emitter.emit("error", new Error("meant to fail")));
  return emitter;
}

function dispatching(way: Way): EventTarget {
  const target = new EventTarget();
  if (way === "complete") setImmediate(() => target.dispatchEvent(new Event("done")));
  return target;
}
