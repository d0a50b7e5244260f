import type { Ready, SimTask } from "./ready.js";
import type { BaseOrder, Ways } from "./scheduler.js";

/** Decided wake-ups that have not been released, in the order of their decisions; as ways to go on, in the base order. */
export class ReadyQueue implements Ways {
  /** From `#head` on. */
  readonly #ready: Ready[] = [];
  #head = 0;
  /** Which of `#ready` goes on by itself; valid while a choice is made. */
  #default = 0;
  #isRacing = false;

  get size(): number {
    return this.#ready.length - this.#head;
  }

  push(ready: Ready): void {
    this.#ready.push(ready);
  }

  /** A choice is to be made: `last` went on before. */
  arrange(base: BaseOrder, last: SimTask | undefined, isRacing: boolean): void {
    this.#default = base === "run" && last !== undefined ? this.#nextOf(last) : this.#head;
    this.#isRacing = isRacing;
  }

  get count(): number {
    return this.#isRacing ? this.size + 1 : this.size;
  }

  at(way: number): Ready | undefined {
    if (way === 0) return this.#ready[this.#default];
    const i = this.#head + way - 1;
    return this.#ready[i < this.#default ? i : i + 1];
  }

  remove(ready: Ready): void {
    const queue = this.#ready;
    if (queue[this.#head] !== ready) {
      queue.splice(queue.indexOf(ready, this.#head), 1);
      return;
    }
    this.#head++;
    if (this.#head === queue.length) {
      queue.length = 0;
      this.#head = 0;
    }
  }

  #nextOf(task: SimTask): number {
    for (let i = this.#head; i < this.#ready.length; i++) if (this.#ready[i]?.task === task) return i;
    return this.#head;
  }
}
