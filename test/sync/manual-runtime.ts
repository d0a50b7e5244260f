import type { Runtime, Timer } from "../../src/index.js";
import type { ScopeNode } from "../../src/kernel/scope-node.js";
import type { Waiter } from "../../src/kernel/waiter.js";

/** A runtime whose time passes when it is told to, and whose timers may be late. */
export class ManualRuntime implements Runtime {
  readonly timers = new Set<Timer>();
  #now = 0;

  runBegan(): void {}

  runEnded(): void {}

  now(): number {
    return this.#now;
  }

  /** Lets time pass, which no timer notices. */
  lag(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass all at once, fires what has become due, and lets what is woken run. */
  async pass(ms: number): Promise<void> {
    this.lag(ms);
    this.poll();
    await new Promise((resolve) => setImmediate(resolve));
  }

  start<T extends ScopeNode>(task: T): Promise<T> {
    return Promise.resolve(task);
  }

  pause<T>(_scope: ScopeNode, _op: string, _on: object | undefined, result?: T): Promise<T> {
    return Promise.resolve(result as T);
  }

  turn(): undefined {}

  park(): void {}

  wake(waiter: Waiter<unknown>, value: unknown, failed: boolean): void {
    waiter.settle(value, failed);
  }

  setTimer(timer: Timer): void {
    timer.live = true;
    this.timers.add(timer);
  }

  clearTimer(timer: Timer): void {
    timer.live = false;
    this.timers.delete(timer);
  }

  random(): number {
    return 0;
  }

  poll(): void {
    for (const timer of [...this.timers]) {
      if (timer.at > this.#now || !timer.live) continue;
      this.clearTimer(timer);
      timer.fire();
    }
  }
}
