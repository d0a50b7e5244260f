import {
  type Awaitable,
  type Cancellable,
  CancelScope,
  checkpoint,
  failAfter,
  moveOnAfter,
  Nursery,
  openNursery,
  shield,
  sleep,
  Task,
} from "../../src/index.js";
import { Guards } from "./guards.js";
import { type Entry, isFloating, type Outcome, type Place } from "./log.js";
import { type Mode, Passing } from "./passing.js";
import type { Block, Code, Op, Program, Statement } from "./program.js";
import { Recorder } from "./recorder.js";
import { nurseryOf, peerOf, scopeOf } from "./refs.js";
import { Throwables } from "./throwables.js";
import { virtualNow } from "./virtual-now.js";

export { MODES, type Mode } from "./passing.js";

export interface Hooks {
  /** The code of a place begins: called in its scope. */
  readonly entered?: ((place: Place) => void) | undefined;
  /** A statement is about to be executed. */
  readonly executing?: ((place: Place, statement: Statement) => void) | undefined;
}

const DONE: Outcome = { ok: true, value: undefined };

type Kind<O extends Op> = Extract<Statement, { readonly op: O }>;

/** What a statement finds around it. */
interface Around {
  readonly place: Place;
  /** Of the innermost `start` around it. */
  readonly started?: (() => void) | undefined;
}

/** Runs one program once, in the nursery that `body` is given: by `simulate` as a rule, but any `run` will do. */
export class Interpreter {
  readonly #recorder = new Recorder();
  readonly log = this.#recorder.log;
  readonly places = this.#recorder.places;
  readonly cancelledSince = this.#recorder.cancelledSince;
  readonly #program: Program;
  readonly #passing: Passing;
  readonly #hooks: Hooks;
  readonly #throwables = new Throwables();
  readonly #guards = new Guards();

  constructor(program: Program, mode: Mode = "ambient", hooks: Hooks = {}) {
    this.#program = program;
    this.#passing = new Passing(mode);
    this.#hooks = hooks;
  }

  /** The body for `run` or `simulate`. */
  readonly body = (root: Nursery): Promise<number> => {
    const place = this.#recorder.place("run", undefined, root, undefined);
    return this.#runAsync({ place }, this.#program.body);
  };

  /** Adds to the log how the run has ended. */
  settled(outcome: Outcome): void {
    const [root] = this.places;
    if (root !== undefined) this.#note("settle", root, undefined, outcome);
  }

  #note(what: Entry["what"], place: Place, statement?: Statement, outcome?: Outcome): void {
    this.#recorder.note(what, place, statement, outcome);
    if (outcome?.ok === false) this.#throwables.caught(outcome.error);
  }

  // Code of a place.

  #run(around: Around, { isAsync, body }: Code): Awaitable<number> {
    return isAsync ? this.#runAsync(around, body) : this.#runSync(around, body);
  }

  async #runAsync(around: Around, body: Block): Promise<number> {
    const { place } = around;
    this.#enter(place);
    try {
      await this.#block(around, body);
    } catch (error) {
      this.#note("leave", place, undefined, { ok: false, error });
      throw error;
    }
    return this.#leave(place);
  }

  #runSync(around: Around, body: Block): number {
    const { place } = around;
    this.#enter(place);
    try {
      for (const statement of body) void this.#step(around, statement);
    } catch (error) {
      this.#note("leave", place, undefined, { ok: false, error });
      throw error;
    }
    return this.#leave(place);
  }

  #enter(place: Place): void {
    this.#note("enter", place);
    this.#hooks.entered?.(place);
  }

  #leave(place: Place): number {
    this.#note("leave", place, undefined, { ok: true, value: place.id });
    return place.id;
  }

  async #block(around: Around, body: Block): Promise<void> {
    for (const statement of body) {
      const waiting = this.#step(around, statement);
      if (waiting !== undefined) await waiting;
    }
  }

  #step(around: Around, statement: Statement): Promise<void> | void {
    const { place } = around;
    const end = (outcome: Outcome) => this.#note("end", place, statement, outcome);
    const threw = (error: unknown): never => {
      end({ ok: false, error });
      throw error;
    };
    this.#note("begin", place, statement);
    this.#hooks.executing?.(place, statement);
    let waiting: Promise<unknown> | void;
    try {
      waiting = this.#execute(around, statement);
    } catch (error) {
      return threw(error);
    }
    if (waiting !== undefined) return waiting.then(() => end(DONE), threw);
    end(DONE);
  }

  // Statements.

  #execute(around: Around, statement: Statement): Promise<unknown> | void {
    const { scope } = around.place;
    const at = this.#passing.at(scope);
    switch (statement.op) {
      case "checkpoint":
        return checkpoint(at);
      case "sleep":
        return sleep(statement.ms, at);
      case "drop":
        this.#drop(around, sleep(statement.ms, at));
        return;
      case "float":
        return this.#float(around, statement);
      case "nursery":
        return this.#open(around, statement, (body) => openNursery(body, this.#passing.among(scope, { errors: statement.errors })));
      case "scope": {
        const own = new CancelScope({ timeout: statement.timeout, shield: statement.shield });
        return this.#open(around, statement, (body) => own.run(body, at));
      }
      case "failAfter":
        return this.#open(around, statement, (body) => failAfter(statement.ms, body, at));
      case "shield":
        return this.#open(around, statement, (body) => shield(body, this.#passing.among(scope, { timeout: statement.timeout })));
      case "spawn":
        return this.#spawn(around, statement);
      case "start":
        return this.#start(around, statement);
      case "started":
        return around.started?.();
      case "join":
        return this.#join(around, statement);
      case "cancel":
        return this.#scopeOf(around, statement).cancel();
      case "deadline":
        this.#scopeOf(around, statement).deadline = virtualNow(scope) + statement.ms;
        return;
      case "setShield":
        this.#scopeOf(around, statement).shield = statement.on;
        return;
      case "throw":
        throw this.#throwables.make(statement.what);
      case "try":
        return this.#try(around, statement);
      case "defer":
      case "use":
        return this.#cleanup(around, statement);
      case "set":
        return this.#guards.event(statement.event).set();
      case "wait":
        return this.#patiently(around, statement.patience, (at) => this.#guards.event(statement.event).wait(at));
      case "section":
        return this.#section(around, statement);
    }
  }

  #scopeOf({ place }: Around, { scope }: Kind<"cancel" | "deadline" | "setShield">): CancelScope {
    return scopeOf(this.places, place, scope).scope;
  }

  /** A body in a scope of its own, which is awaited. */
  async #open(
    around: Around,
    statement: Statement,
    enter: (body: (scope: CancelScope) => Awaitable<number>) => Promise<unknown>,
  ): Promise<void> {
    const { code } = statement as Kind<"scope">;
    let place: Place | undefined;
    const work = () =>
      enter((scope) => {
        place = this.#recorder.place(scope instanceof Nursery ? "nursery" : "scope", around.place, scope, statement);
        return this.#run({ ...around, place }, code);
      });
    await this.#recorder.settling(() => place, work);
  }

  /** A cancellation that nobody awaits is no unhandled rejection; an operation in a scope that has ended, where floating code may be, is. */
  #drop({ place }: Around, promise: Promise<unknown>): void {
    if (isFloating(place)) promise.catch(() => {});
  }

  #float(around: Around, statement: Kind<"float">): void {
    const place = this.#recorder.place("floating", around.place, around.place.scope, statement);
    this.#runAsync({ ...around, place }, statement.body).catch(() => {});
  }

  #spawn(around: Around, statement: Kind<"spawn">): void {
    const nursery = nurseryOf(this.places, around.place, statement.nursery);
    const begun: { place?: Place } = {};
    const task = (nursery.scope as Nursery).startSoon(() => this.#run({ ...around, place: begun.place as Place }, statement.code), {
      background: statement.background,
    });
    begun.place = this.#recorder.place("task", nursery, task, statement);
  }

  async #start(around: Around, statement: Kind<"start">): Promise<void> {
    const target = nurseryOf(this.places, around.place, statement.nursery);
    const nursery = target.scope as Nursery;
    const start = this.#recorder.place("start", around.place, around.place.scope, statement, target);
    const options = this.#passing.among(around.place.scope, { background: statement.background });
    await this.#recorder.settling(
      () => start,
      () =>
        nursery.start<number>((task, says) => {
          const place = this.#recorder.place("task", start, task, statement);
          const started = () => {
            says(place.id);
            if ([...nursery.tasks].includes(task)) place.parent = target;
          };
          return this.#run({ place, started }, statement.code);
        }, options),
    );
  }

  async #join(around: Around, { task: n, patience }: Kind<"join">): Promise<void> {
    const peer = peerOf(this.places, around.place, n)?.scope;
    if (peer instanceof Task) await this.#patiently(around, patience, (at) => peer.join(at));
  }

  #patiently({ place }: Around, ms: number, wait: (at: Cancellable | undefined) => Promise<unknown>): Promise<unknown> {
    return moveOnAfter(ms, (scope) => wait(this.#passing.at(scope)), this.#passing.at(place.scope));
  }

  async #try(around: Around, statement: Kind<"try">): Promise<void> {
    const handle = (body: Block): Promise<unknown> =>
      statement.shielded
        ? (this.#execute(around, { op: "shield", timeout: undefined, code: { isAsync: true, body } }) as Promise<unknown>)
        : this.#block(around, body);
    try {
      await this.#block(around, statement.body);
    } catch (error) {
      if (statement.catch === undefined) throw error;
      await handle(statement.catch.body);
      if (statement.catch.finish === "wrap") throw new Error("wrapped", { cause: error });
      if (statement.catch.finish === "rethrow") throw error;
    } finally {
      if (statement.finally !== undefined) await handle(statement.finally);
    }
  }

  #cleanup(around: Around, statement: Kind<"defer" | "use">): void {
    const { scope } = around.place;
    let owner = around.place;
    while (owner.kind === "cleanup" && owner.parent?.scope === scope) owner = owner.parent;
    const clean = (own: CancelScope) =>
      this.#run({ ...around, place: this.#recorder.place("cleanup", owner, own, statement) }, statement.code);
    if (statement.op === "defer") scope.defer(clean);
    // A disposer is passed no scope, so where none is ambient it runs in the one that it captured.
    else if (statement.code.isAsync) scope.use({ [Symbol.asyncDispose]: async () => void (await clean(this.#passing.unpassed(scope))) });
    else scope.use({ [Symbol.dispose]: () => void clean(this.#passing.unpassed(scope)) });
  }

  async #section(around: Around, { of, n, body, patience }: Kind<"section">): Promise<void> {
    const guard = this.#guards.guard(of, n);
    if (!this.#guards.ask(guard, around.place)) return;
    let isIn = false;
    try {
      await this.#patiently(around, patience, async (at) => {
        await guard.acquire(at);
        isIn = true;
      });
      if (isIn) await this.#block(around, body);
    } finally {
      if (isIn) guard.release(this.#passing.at(around.place.scope));
      this.#guards.asked(guard, around.place);
    }
  }
}
