import { setTimeout } from "node:timers/promises";
import { shield, type Task } from "creche";
import type { Facts, Plan, Raw } from "./attempt.js";
import { describe } from "./describe.js";
import type { Probe, Scope, Way } from "./probe.js";

/** What can happen between an operation and a cancellation. */
export type Scenario = "waiting" | "before" | "normal" | "fails before" | "fails after" | "races";

/** One call of the probe, in an environment of its own. */
export interface Subject {
  readonly probe: Probe;
  readonly raw: Raw;
  readonly call: (way: Way, task: Scope) => PromiseLike<unknown>;
  /** The same in a second environment: the first may be gone with what was cancelled in it. */
  readonly callElsewhere: (way: Way, task: Scope) => PromiseLike<unknown>;
  /** Resolves when the operation is under way and waits. */
  readonly underWay: (isOver: () => boolean) => Promise<unknown>;
}

/** Cancelled while it waits: the nursery swallows it, whatever the operation makes of it. */
export function waiting({ probe, call, underWay }: Subject): Plan {
  return { act: (task) => Promise.resolve(call("stall", task)), cancelled: underWay, judge: (facts) => swallowed(facts, probe) };
}

/** Cancelled before the call. */
export function before({ probe, call }: Subject): Plan {
  return { act: (task) => Promise.resolve(call("stall", task)), cancelled: "before", judge: (facts) => swallowed(facts, probe) };
}

/** Never cancelled. */
export function normal({ call }: Subject): Plan {
  return {
    act: (task) => Promise.resolve(call("complete", task)),
    cancelled: "never",
    judge: ({ end, task }) => (end.kind === "resolved" && task === "done" ? undefined : `it should succeed: ${told(end)}`),
  };
}

/** It fails, and the scope is cancelled before anybody has judged the failure. */
export function failsBefore({ probe, raw, call }: Subject): Plan {
  return {
    act: async (task, nursery) => {
      const operation = Promise.resolve(call("fail", task));
      operation.catch(() => nursery.cancel("stop"));
      return await operation;
    },
    cancelled: "never",
    judge: (facts) => kept(facts, probe, raw),
  };
}

/** It is cancelled while it waits, and then the same call fails in the cleanup. */
export function failsAfter({ probe, raw, call, callElsewhere, underWay }: Subject): Plan {
  return {
    act: async (task: Task) => {
      try {
        return await call("stall", task);
      } finally {
        await shield((inner) => callElsewhere("fail", inner));
      }
    },
    cancelled: underWay,
    judge: (facts) => kept(facts, probe, raw),
  };
}

/** It is cancelled `ms` after it began, about when it fails. Which of the two was first, nobody knows; the verdict has to fit what it rejected with. */
export function races({ probe, raw, call }: Subject, ms: number): Plan {
  return {
    act: (task) => Promise.resolve(call("fail", task)),
    cancelled: () => (ms < 1 ? Promise.resolve() : setTimeout(ms)),
    judge: (facts) => {
      const error = raw.rejection?.error;
      return raw.rejection !== undefined && probe.genuine?.(error) === true
        ? kept(facts, probe, raw)
        : swallowed({ ...facts, wasOver: false }, probe);
    },
  };
}

function swallowed({ end, task, wasOver }: Facts, { resolves }: Probe): string | undefined {
  if (wasOver) return `it did not wait: the task had ended before it was cancelled (${task}; ${told(end)})`;
  if (end.kind === "never") return "it never ends";
  if (end.kind === "rejected") return `the cancellation counts as a failure: ${describe(end.error)}`;
  if (task === "cancelled") return undefined;
  return resolves === true ? undefined : "it ended normally though it was cancelled";
}

function kept({ end }: Facts, { genuine }: Probe, { rejection }: Raw): string | undefined {
  if (end.kind === "never") return "it never ends";
  if (rejection === undefined) return "it was meant to fail, and did not";
  if (genuine?.(rejection.error) !== true) return `it failed in another way than it was meant to: ${describe(rejection.error)}`;
  if (end.kind !== "rejected") return `a genuine failure was swallowed: ${describe(rejection.error)}`;
  return end.error === rejection.error || isIn(end.error, rejection.error)
    ? undefined
    : `the nursery rejects with another error than the operation: ${describe(end.error)}`;
}

/** Of an aggregate that has the cancellation in it, only the failure is kept. */
function isIn(error: unknown, aggregate: unknown): boolean {
  const { errors } = aggregate as { errors?: unknown };
  return Array.isArray(errors) && errors.includes(error);
}

function told(end: Facts["end"]): string {
  if (end.kind === "rejected") return `it rejected with ${describe(end.error)}`;
  return end.kind === "never" ? "it never ended" : "it resolved";
}
