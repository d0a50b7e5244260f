import type { Binding } from "./context-variable.js";
import type { Deadline } from "./deadline.js";
import type { SignalLink } from "./foreign-signal.js";
import type { Outcome } from "./outcome.js";
import type { ScopeNode } from "./scope-node.js";
import type { Holding } from "./task.js";
import type { Awaitable } from "./types.js";
import type { WaitQueue } from "./wait-queue.js";
import type { PlainWaiter } from "./waiter.js";

/** What few scopes have. It is made when the first of it is needed, so that the others do not pay for it. */
export class Rare {
  name: string | undefined = undefined;
  /** Milliseconds from entry; gone once the deadline is known. */
  timeout: number | undefined = undefined;
  deadline: Deadline | undefined = undefined;
  cleanupTimeout: number | undefined = undefined;
  /** To the foreign signal that it stands for, or that cancels it as its own `cancel()` does. */
  link: SignalLink | undefined = undefined;
  controller: AbortController | undefined = undefined;
  /** In order of registration; they run from the last to the first. */
  cleanups: ((scope: never) => Awaitable<unknown>)[] | undefined = undefined;
  /** Waits until nothing is left in the scope. */
  leaver: PlainWaiter | undefined = undefined;
  /** Nurseries of tasks that are starting and will belong to this one: they die with it. */
  starting: Set<ScopeNode> | undefined = undefined;
  /** How it ends, once there is more to say than a value. */
  outcome: Outcome | undefined = undefined;
  /** What was handed out for the end of the scope. */
  promise: Promise<unknown> | undefined = undefined;
  /** Of a task: those who wait for its end. */
  joiners: WaitQueue<unknown> | undefined = undefined;
  /** Of a task: the first of a list of what breaks if it ends now. */
  held: Holding | undefined = undefined;
  /** What holds in it of context variables, or where else than outside they are looked up. */
  binding: Binding | undefined = undefined;
  /** Operations of it, or of what is inside, that were given up and still go on. */
  abandoned = 0;
  /** Of a nursery: results that nobody received, and that are disposed therefore. Once each, also if several tasks have returned the same object. */
  disposed: Set<unknown> | undefined = undefined;
  /** Where it was made; in development mode only. */
  site: Error | undefined = undefined;
}
