import { type Cancellable, type CancelScope, checkpoint, type Nursery, openNursery, sleep } from "../../../src/index.js";
import { Brood } from "../checks/brood.js";
import { PlannedFailure } from "../checks/planned-failure.js";
import type { Random } from "../random.js";
import type { Application } from "./application.js";
import { handlers } from "./handlers/handlers.js";

/** How deep handlers may call one another. */
const DEEPEST = 2;

/** What a handler does, in a scope. It returns, throws planned failures, or lets a cancellation pass. */
export type Handler = (call: Call, scope: CancelScope) => Promise<unknown>;

/** One request, as a handler sees it. */
export class Call {
  readonly app: Application;
  readonly random: Random;
  readonly name: string;
  readonly #depth: number;

  constructor(app: Application, random: Random, name: string, depth = 0) {
    this.app = app;
    this.random = random;
    this.name = name;
    this.#depth = depth;
  }

  /** The scope as the last argument of a call; or nothing, which means the ambient scope: the same one, as both forms have to behave alike. */
  at(scope: Cancellable): Cancellable | undefined {
    return this.random.chance(0.5) ? scope : undefined;
  }

  /** Some waiting: what work looks like from outside. */
  async work(scope: Cancellable, most = 4): Promise<void> {
    for (let steps = this.random.below(3); steps >= 0; steps--) {
      if (this.random.chance(0.5)) await checkpoint(this.at(scope));
      else await sleep(this.random.next() * most, this.at(scope));
    }
  }

  /** Fails now and then. */
  async mayFail(scope: Cancellable, share = 0.3): Promise<void> {
    await this.work(scope);
    if (this.random.chance(share)) throw this.failure();
  }

  failure(): PlannedFailure {
    return new PlannedFailure(this.name);
  }

  /** Another handler, any one, as a part of this. */
  async another(scope: CancelScope): Promise<unknown> {
    if (this.#depth === DEEPEST) return this.work(scope);
    const name = this.random.pick(Object.keys(handlers)) as keyof typeof handlers;
    return (handlers[name] as Handler)(new Call(this.app, this.random, `${this.name}/${name}`, this.#depth + 1), scope);
  }

  /** A nursery of which it is checked that nothing outlives it. */
  async nursery<T>(body: (nursery: Nursery, brood: Brood) => Promise<T>, scope: Cancellable): Promise<T> {
    const brood = new Brood(this.name, this.app.ledger);
    try {
      return await openNursery((nursery) => body(nursery, brood), this.random.chance(0.5) ? { signal: scope.signal } : {});
    } finally {
      brood.over();
    }
  }

  check(holds: boolean, what: () => string): void {
    this.app.ledger.check(holds, () => `${this.name}: ${what()}`);
  }
}
