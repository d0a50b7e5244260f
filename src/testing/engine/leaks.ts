import { ENDED } from "../../kernel/flags.js";
import type { Held } from "../../kernel/wait-graph.js";
import { LeakError } from "../errors/leak-error.js";
import type { Leaks } from "../sim-options.js";
import type { SimulatedRuntime } from "./simulated-runtime.js";

/** What a run has left behind when it was over, if anything. `listeners`: to how many foreign signals it listens still. */
export function leaksOf(runtime: SimulatedRuntime, leaks: Leaks, listeners: number): LeakError | undefined {
  const left: string[] = [];
  if (leaks.tasks !== false) {
    for (const { name, node } of runtime.names.tasks) {
      if (node !== undefined && (node._flags & ENDED) === 0) left.push(`the task ${name} has not ended`);
    }
  }
  if (leaks.timers !== false && runtime.hasTimers) left.push("a timer is set");
  if (leaks.listeners !== false && listeners > 0)
    left.push(`${listeners === 1 ? "a foreign signal is" : `${listeners} foreign signals are`} still listened to`);
  if (leaks.locks !== false) {
    for (const object of runtime.names.objects) {
      if (typeof object === "string" || !("_holders" in object)) continue;
      for (const holder of (object as Held)._holders) left.push(`${runtime.names.objectOf(object)} is still held by ${holder.name}`);
    }
  }
  return left.length === 0 ? undefined : new LeakError(`something is left after the end:\n  ${left.join("\n  ")}`);
}
