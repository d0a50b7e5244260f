import { enterAmbientScope } from "#context";
import { UsageError } from "../kernel/errors.js";
import { EXPLICIT } from "../kernel/flags.js";
import type { Nursery } from "../kernel/nursery.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Task } from "../kernel/task.js";
import { isPromiseLike } from "./is-promise-like.js";
import { endItem, enterItem, isPlain, newItem } from "./item.js";
import type { Mapping } from "./mapping.js";

/** Asking whether a turn of the event loop is due costs as much as an item's task, so it is asked at every fourth item. */
const EACH_FOURTH = 3;

/** One executor for all gates: it runs inside `new Promise`, so what it leaves behind is taken at once. */
let openLast: () => void = () => {};
function capture(resolve: () => void): void {
  openLast = resolve;
}

/**
 * Works on one item after another, as long as there are any. A mapping has as many lanes as it may work on items at a time. Whatever it waits for, what goes
 * on then is one of a few closures that it has for good, so an item costs its task and one reaction on the promise of its function.
 *
 * Where the ambient scope follows the code, functions and sources may enter async contexts of their own, which must not reach the next item. So a
 * lane goes on through a gate: a promise that waits, from before they are called, in the context in which the lane was begun.
 */
export class Lane {
  readonly #mapping: Mapping<unknown>;
  readonly #nursery: Nursery;
  readonly #isAmbient: boolean;
  #openGate: () => void = () => {};
  /** What it has been handed, and has not begun to work on. */
  #value: unknown = undefined;
  #index = 0;
  #isHanded = false;
  /** The item it works on, or has worked on last. */
  #item: Task | undefined = undefined;

  readonly #onValue = (value: unknown): void => {
    const item = this.#item as Task;
    const mapping = this.#mapping;
    if (!isPlain(item)) {
      mapping.lingering.set(item, this);
      item._returned(value);
      return;
    }
    item._state = "done";
    item._result = value;
    endItem(item, this.#nursery);
    mapping.done(item._number - 1, value);
    if (mapping.isProduction && (item._number & EACH_FOURTH) !== 0) this.#goOn();
    else this.#letOthersRun();
  };

  readonly #onError = (error: unknown): void => this.#threw(error);
  readonly #onGate = (): void => this.#step();
  readonly #onTurn = (): void => this.#goOn();

  constructor(mapping: Mapping<unknown>) {
    this.#mapping = mapping;
    this.#nursery = mapping.nursery;
    this.#isAmbient = (mapping.nursery._flags & EXPLICIT) === 0;
  }

  /** Takes its first step, on a microtask of its own: what it reads, it reads in `reader`. */
  begin(reader: CancelScope | undefined): void {
    if (reader === undefined || !this.#isAmbient) this.#step();
    else enterAmbientScope(reader, step, this.#onGate);
  }

  /** Is handed an item. */
  hand(value: unknown, index: number): void {
    this.#value = value;
    this.#index = index;
    this.#isHanded = true;
    this.#goOn();
  }

  /** Goes on when `after` has settled; by default soon: it may be on the stack of the function that threw. */
  goOn(after: Promise<void> = this.#nursery._runtime.pause(this.#nursery, "turn", undefined)): void {
    void after.then(this.#onTurn);
  }

  #goOn(): void {
    if (this.#isAmbient) this.#openGate();
    else this.#step();
  }

  #step(): void {
    if (this.#isAmbient) {
      void new Promise<void>(capture).then(this.#onGate);
      this.#openGate = openLast;
    }
    const mapping = this.#mapping;
    const { _reason: reason } = this.#nursery;
    if (this.#isHanded) {
      this.#isHanded = false;
      // It was cancelled between the hand and the gate.
      if (reason !== undefined) mapping.cutOff(1, reason);
      else {
        mapping.grow();
        this.#work(this.#value, this.#index);
      }
      return;
    }
    const array = mapping.array;
    const index = mapping.begun;
    // The usual case in short; `serve` is the whole truth.
    if (array !== undefined && index < array.length && mapping.isSimple && reason === undefined) {
      mapping.begun = index + 1;
      this.#work(array[index], index);
    } else mapping.serve(this);
  }

  #work(value: unknown, index: number): void {
    const mapping = this.#mapping;
    if (isPromiseLike(value)) {
      this.#nursery._failed(promiseRefused(mapping.caller));
      mapping.laneEnded();
      return;
    }
    const item = newItem(mapping.label, index);
    this.#item = item;
    enterItem(item, this.#nursery);
    let result: unknown;
    try {
      if (this.#isAmbient) {
        this.#value = value;
        result = enterAmbientScope(item, callFunction, this as Lane);
      } else result = mapping.fn(value, item, index);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (result instanceof Promise) result.then(this.#onValue, this.#onError);
    else Promise.resolve(result).then(this.#onValue, this.#onError);
  }

  /** @internal */
  _call(): unknown {
    const item = this.#item as Task;
    return this.#mapping.fn(this.#value, item, item._number - 1);
  }

  #threw(error: unknown): void {
    const item = this.#item as Task;
    this.#mapping.lingering.set(item, this);
    item._threw(error);
  }

  /** In simulated time the next item begins when its turn has come; in real time timers and I/O have theirs, if it is time for that. */
  #letOthersRun(): void {
    const nursery = this.#nursery;
    const turn = this.#mapping.isProduction ? productionRuntime.turn() : nursery._runtime.pause(nursery, "turn", undefined);
    if (turn === undefined) this.#goOn();
    else void turn.then(this.#onTurn);
  }
}

function step(onTurn: () => void): void {
  onTurn();
}

function callFunction(lane: Lane): unknown {
  return lane._call();
}

/** Why a promise is no item. */
function promiseRefused(caller: string): UsageError {
  return new UsageError(
    `an item of ${caller}() is a promise: what it stands for is running already, and cannot be owned. Pass what it is made from, and make it in the function`,
  );
}
