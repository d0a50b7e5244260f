import { getEventListeners } from "node:events";
import { childrenOf, waitersOf } from "../../../src/kernel/floating.js";
import type { ScopeNode } from "../../../src/kernel/scope-node.js";
import { collectGarbage } from "./collect-garbage.js";

/** What is sampled whenever the application is at rest. */
export const SERIES = ["heap", "handles", "listeners", "scopes", "kept objects"] as const;
export type Series = (typeof SERIES)[number];

/** Takes samples of what there is. All that is counted has to be the same at each of them; the heap nearly. */
export class Sampler {
  readonly samples: Record<Series, number[]> = { heap: [], handles: [], listeners: [], scopes: [], "kept objects": [] };
  readonly #signal: AbortSignal;
  readonly #root: ScopeNode;
  #kept = 0;
  readonly #registry = new FinalizationRegistry<undefined>(() => this.#kept--);

  constructor(signal: AbortSignal, root: ScopeNode) {
    this.#signal = signal;
    this.#root = root;
  }

  /** Counts an object until it is collected. */
  follow(object: object): void {
    this.#kept++;
    this.#registry.register(object, undefined);
  }

  async sample(): Promise<void> {
    await collectGarbage();
    const { samples } = this;
    samples.heap.push(process.memoryUsage().heapUsed);
    samples.handles.push(process.getActiveResourcesInfo().length);
    samples.listeners.push(getEventListeners(this.#signal, "abort").length);
    samples.scopes.push(sizeOf(this.#root));
    samples["kept objects"].push(this.#kept);
  }
}

/** How many scopes, and operations that wait in them, a tree consists of. */
function sizeOf(root: ScopeNode): number {
  let size = 0;
  const pending = [root];
  for (let scope = pending.pop(); scope !== undefined; scope = pending.pop()) {
    size += 1 + waitersOf(scope).length;
    pending.push(...childrenOf(scope));
  }
  return size;
}
