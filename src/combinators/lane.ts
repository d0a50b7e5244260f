import { enterAmbientScope } from "#context";
import { UsageError } from "../kernel/errors.js";
import { EXPLICIT } from "../kernel/flags.js";
import { productionRuntime } from "../kernel/production-runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import { isPromiseLike } from "./is-promise-like.js";
import { Item } from "./item.js";
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
  readonly #isAmbient: boolean;
  #openGate: () => void = () => {};
  /** What it has been handed, and has not begun to work on. */
  #value: unknown = undefined;
  #index = 0;
  #isHanded = false;
  /** The item it works on, or has worked on last. */
  #item: Item | undefined = undefined;

  readonly #onValue = (value: unknown): void => {
    const item = this.#item as Item;
    const mapping = this.#mapping;
    if (!item.isPlain) {
      mapping._lingering.set(item, this);
      item._returned(value);
      return;
    }
    item._state = "done";
    item._result = value;
    item.leaveMapping(mapping);
    mapping._done(item._number - 1, value);
    if (mapping._isProduction && (item._number & EACH_FOURTH) !== 0) this.#goOn();
    else this.#letOthersRun();
  };

  readonly #onError = (error: unknown): void => this.#threw(error);
  readonly #onGate = (): void => this.#step();
  readonly #onTurn = (): void => this.#goOn();

  constructor(mapping: Mapping<unknown>) {
    this.#mapping = mapping;
    this.#isAmbient = (mapping._flags & EXPLICIT) === 0;
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
  goOn(after: Promise<void> = this.#mapping._runtime.pause(this.#mapping, "turn", undefined)): void {
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
    if (this.#isHanded) {
      this.#isHanded = false;
      // It was cancelled between the hand and the gate.
      if (mapping._reason !== undefined) mapping._cutOff(1, mapping._reason);
      else {
        mapping._grow();
        this.#work(this.#value, this.#index);
      }
      return;
    }
    const array = mapping._array;
    const index = mapping._begun;
    // The usual case in short; `_serve` is the whole truth.
    if (array !== undefined && index < array.length && mapping._isSimple && mapping._reason === undefined) {
      mapping._begun = index + 1;
      this.#work(array[index], index);
    } else mapping._serve(this);
  }

  #work(value: unknown, index: number): void {
    const mapping = this.#mapping;
    if (isPromiseLike(value)) {
      mapping._failed(promiseRefused(mapping.name));
      mapping._laneEnded();
      return;
    }
    const item = new Item(index);
    this.#item = item;
    item.enterMapping(mapping);
    let result: unknown;
    try {
      if (this.#isAmbient) {
        this.#value = value;
        result = enterAmbientScope(item, callFunction, this as Lane);
      } else result = mapping._fn(value, item, index);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (result instanceof Promise) result.then(this.#onValue, this.#onError);
    else Promise.resolve(result).then(this.#onValue, this.#onError);
  }

  /** @internal */
  _call(): unknown {
    const item = this.#item as Item;
    return this.#mapping._fn(this.#value, item, item._number - 1);
  }

  #threw(error: unknown): void {
    const item = this.#item as Item;
    this.#mapping._lingering.set(item, this);
    item._threw(error);
  }

  /** In simulated time the next item begins when its turn has come; in real time timers and I/O have theirs, if it is time for that. */
  #letOthersRun(): void {
    const mapping = this.#mapping;
    const turn = mapping._isProduction ? productionRuntime.turn() : mapping._runtime.pause(mapping, "turn", undefined);
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
