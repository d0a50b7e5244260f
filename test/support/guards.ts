import { type Cancellable, CapacityLimiter, Event, Lock, Semaphore } from "../../src/index.js";
import { outwards, type Place } from "./log.js";
import type { Guard } from "./program.js";

interface Acquirable {
  acquire(scope?: Cancellable): Promise<void>;
  release(scope?: Cancellable): void;
}

/** The objects that the tasks of one run share. */
export class Guards {
  readonly #events = [new Event(), new Event(), new Event()];
  readonly #all: Readonly<Record<Guard, readonly Acquirable[]>> = {
    lock: [new Lock(), new Lock()],
    semaphore: [new Semaphore(1), new Semaphore(2)],
    limiter: [new CapacityLimiter(1), new CapacityLimiter(2)],
  };
  readonly #askers = new Map<Acquirable, Set<Place>>();

  event(n: number): Event {
    return this.#events[n % this.#events.length] as Event;
  }

  guard(of: Guard, n: number): Acquirable {
    return this.#all[of][n % this.#all[of].length] as Acquirable;
  }

  /** Whether the task around `place` may ask for it: not if it has it or waits for it already, which would be misuse. */
  ask(guard: Acquirable, place: Place): boolean {
    const askers = this.#askers.get(guard) ?? new Set();
    this.#askers.set(guard, askers);
    const task = taskOf(place);
    if (askers.has(task)) return false;
    askers.add(task);
    return true;
  }

  asked(guard: Acquirable, place: Place): void {
    this.#askers.get(guard)?.delete(taskOf(place));
  }
}

function taskOf(place: Place): Place {
  for (const at of outwards(place)) if (at.kind === "task" || at.parent === undefined) return at;
  return place;
}
