import type { ScopeNode } from "../../kernel/scope-node.js";
import type { SimTask } from "./ready.js";

/** Gives what takes part in a run its names: numbers in order of appearance, so that two runs of one schedule give the same ones. */
export class Names {
  readonly #tasks = new Map<ScopeNode | undefined, SimTask>();
  readonly #ids = new Map<object | string, number>();
  readonly #objects = new Map<object, string>();
  readonly #counts = new Map<string, number>();

  /** The task that code in `scope` belongs to. What belongs to none counts as one task of its own. */
  taskOf(scope: ScopeNode | undefined): SimTask {
    const node = scope?._task;
    const known = this.#tasks.get(node);
    if (known !== undefined) return known;
    const name = this.#unique(node?.name ?? "outside");
    const task: SimTask = { id: this.#tasks.size, name, node, parked: 0, foreign: 0, lastOp: "start", rawSince: undefined };
    this.#tasks.set(node, task);
    return task;
  }

  get tasks(): IterableIterator<SimTask> {
    return this.#tasks.values();
  }

  get objects(): IterableIterator<object | string> {
    return this.#ids.keys();
  }

  /** A number for an object or a word, by order of appearance. */
  idOf(what: object | string): number {
    let id = this.#ids.get(what);
    if (id === undefined) {
      id = this.#ids.size + 1;
      this.#ids.set(what, id);
    }
    return id;
  }

  /** As `Lock`, `Lock#2` or `Lock accounts`: only where there are several of a kind they have numbers. */
  objectOf(on: object | undefined): string {
    if (on === undefined) return "";
    const known = this.#objects.get(on);
    if (known !== undefined) return known;
    const kind = on.constructor?.name ?? "object";
    const label = "name" in on && typeof on.name === "string" && on.name !== "" ? `${kind} ${on.name}` : kind;
    const name = this.#unique(label);
    this.#objects.set(on, name);
    return name;
  }

  #unique(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count === 1 ? name : `${name}(${count})`;
  }
}
