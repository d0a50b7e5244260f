import { isInside } from "../../kernel/floating.js";
import type { Runtime, Timer } from "../../kernel/runtime.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import type { Tree } from "../../kernel/tree.js";
import type { Waiter } from "../../kernel/waiter.js";

/** What happens in one scope and all that is inside it. */
export class CheckpointCount {
  readonly #scope: ScopeNode;
  /** How often something looked whether it is cancelled. */
  looks = 0;
  /** What let others run, as `acquire Lock`. */
  readonly waits: string[] = [];

  constructor(scope: ScopeNode) {
    this.#scope = scope;
  }

  looked(scope: ScopeNode): void {
    if (isInside(scope, this.#scope)) this.looks++;
  }

  waited(scope: ScopeNode, op: string, on: object | undefined): void {
    if (isInside(scope, this.#scope)) this.waits.push(`${op}${on === undefined ? "" : ` ${on.constructor.name}`}`);
  }
}

/** The runtime of a tree while checkpoints are counted in it: does what the one behind it does. */
class CountingRuntime implements Runtime {
  readonly counts = new Set<CheckpointCount>();
  readonly behind: Runtime;

  constructor(behind: Runtime) {
    this.behind = behind;
  }

  runBegan(): void {
    this.behind.runBegan();
  }

  runEnded(): void {
    this.behind.runEnded();
  }

  now(): number {
    return this.behind.now();
  }

  start<T extends ScopeNode>(task: T): Promise<T> {
    return this.behind.start(task);
  }

  pause<T>(scope: ScopeNode, op: string, on: object | undefined, result?: T): Promise<T> {
    for (const count of this.counts) count.waited(scope, op, on);
    return this.behind.pause(scope, op, on, result);
  }

  turn(): Promise<void> | undefined {
    return this.behind.turn();
  }

  park(waiter: Waiter<unknown>): void {
    for (const count of this.counts) count.waited(waiter._scope as ScopeNode, waiter.op, waiter.on);
    this.behind.park(waiter);
  }

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean, isBehind?: boolean): void {
    this.behind.wake(waiter, value, failed, isBehind);
  }

  setTimer(timer: Timer): void {
    this.behind.setTimer(timer);
  }

  clearTimer(timer: Timer): void {
    this.behind.clearTimer(timer);
  }

  random(): number {
    return this.behind.random();
  }

  poll(scope?: ScopeNode): void {
    if (scope !== undefined) for (const count of this.counts) count.looked(scope);
    this.behind.poll(scope);
  }
}

/** Begins to count what happens in `scope`, which has been entered; the returned function ends it. The tree has its own runtime back after the last one. */
export function countIn(scope: ScopeNode, count: CheckpointCount): () => void {
  const tree = scope._tree as { -readonly [Key in keyof Tree]: Tree[Key] };
  const runtime = tree.runtime instanceof CountingRuntime ? tree.runtime : new CountingRuntime(tree.runtime);
  tree.runtime = runtime;
  runtime.counts.add(count);
  return () => {
    runtime.counts.delete(count);
    if (runtime.counts.size === 0) tree.runtime = runtime.behind;
  };
}
