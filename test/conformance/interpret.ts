import {
  type Awaitable,
  Cancelled,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  currentEffectiveDeadline,
  ErrorGroup,
  Event,
  failAfter,
  isCancellation,
  Lock,
  type Nursery,
  now,
  openNursery,
  Semaphore,
  sleep,
  type Task,
  TimeoutError,
} from "../../src/index.js";
import type { Block, Entry, Program, Statement, Trace } from "./program.js";

const HORIZON = 1_000_000;

class Boom extends Error {
  override readonly name = "Boom";
}

/** What the statements of one task find around them: names are lexical, so a task is spawned with what is visible there. */
interface Surroundings {
  readonly task: string;
  readonly scopes: Readonly<Record<string, CancelScope>>;
  readonly nurseries: Readonly<Record<string, Nursery>>;
  readonly started?: (value: string) => void;
}

interface Acquirable {
  run(body: () => Awaitable<void>): Promise<void>;
}

/** Runs a program of the conformance format in the ambient scope, and returns the trace that it leaves. */
export class Interpreter {
  readonly #tasks: Record<string, Entry[]> = {};
  readonly #events: ReadonlyMap<string, Event>;
  readonly #acquirables = new Map<string, Acquirable>();
  readonly #limiters: ReadonlyMap<string, CapacityLimiter>;
  readonly #begin = now();
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
    this.#events = new Map((program.events ?? []).map((id) => [id, new Event()]));
    this.#limiters = new Map(Object.entries(program.limiters ?? {}).map(([id, tokens]) => [id, new CapacityLimiter(tokens)]));
    for (const id of program.locks ?? []) this.#acquirables.set(id, new Lock());
    for (const [id, value] of Object.entries(program.semaphores ?? {})) this.#acquirables.set(id, new Semaphore(value));
    for (const [id, limiter] of this.#limiters) this.#acquirables.set(id, limiter);
  }

  async trace(): Promise<Trace> {
    const around: Surroundings = { task: "main", scopes: {}, nurseries: {} };
    let outcome = "ok";
    try {
      const horizon = new CancelScope({ timeout: HORIZON });
      await horizon.run(() => this.#task(around, this.#program.body));
      this.#log(around, horizon.cancelledCaught ? "horizon reached" : "horizon not reached");
    } catch (error) {
      outcome = label(error);
    }
    return { tasks: this.#tasks, outcome };
  }

  #log({ task }: Surroundings, event: string): void {
    const entries = this.#tasks[task] ?? [];
    this.#tasks[task] = entries;
    entries.push([now() - this.#begin, event]);
  }

  async #task(around: Surroundings, body: Block): Promise<void> {
    try {
      await this.#block(around, body);
    } catch (error) {
      this.#log(around, `ended ${label(error)}`);
      throw error;
    }
    this.#log(around, "done");
  }

  async #block(around: Surroundings, body: Block): Promise<void> {
    for (const statement of body) await this.#statement(around, statement);
  }

  async #statement(around: Surroundings, statement: Statement): Promise<void> {
    const log = (event: string) => this.#log(around, event);
    switch (statement.op) {
      case "log":
        return log(statement.msg);
      case "sleep":
        await sleep(statement.ms);
        return log(`slept ${statement.ms}`);
      case "checkpoint":
        return checkpoint();
      case "raise":
        throw new Boom(statement.msg);
      case "loop":
        for (let i = 0; i < statement.n; i++) await this.#block(around, statement.body);
        return;
      case "try":
        return this.#try(around, statement);
      case "scope":
        return this.#scope(around, statement);
      case "fail":
        await failAfter(statement.ms, (scope) => this.#block(withScope(around, statement.id, scope), statement.body));
        return log(`fail ${statement.id} passed`);
      case "cancel":
        return scopeNamed(around, statement.scope).cancel();
      case "shield":
        scopeNamed(around, statement.scope).shield = statement.value;
        return;
      case "deadline":
        scopeNamed(around, statement.scope).deadline = now() + statement.ms;
        return;
      case "effective_deadline":
        return log(`effective deadline ${instant(currentEffectiveDeadline() - this.#begin)}`);
      case "nursery":
        await openNursery((nursery) => this.#block(withNursery(around, statement.id, nursery), statement.body));
        return log(`nursery ${statement.id} exit`);
      case "spawn":
        return this.#spawn(around, statement);
      case "start":
        return this.#start(around, statement);
      case "started":
        return this.#started(around, statement.value);
      case "event_set":
        return this.#events.get(statement.id)?.set();
      case "event_wait":
        await this.#events.get(statement.id)?.wait();
        return log(`event ${statement.id}`);
      case "lock":
      case "semaphore":
      case "limiter":
        return this.#holding(around, statement.id, statement.body);
      case "limiter_total":
        (this.#limiters.get(statement.id) as CapacityLimiter).total = statement.n;
        return;
    }
  }

  async #try(around: Surroundings, statement: Statement & { op: "try" }): Promise<void> {
    try {
      await this.#block(around, statement.body);
    } catch (error) {
      if (statement.catch === undefined || isCancellation(error)) throw error;
      this.#log(around, `caught ${label(error)}`);
      await this.#block(around, statement.catch);
    } finally {
      if (statement.finally !== undefined) {
        this.#log(around, "finally");
        await this.#block(around, statement.finally);
      }
    }
  }

  async #scope(around: Surroundings, statement: Statement & { op: "scope" }): Promise<void> {
    const scope = new CancelScope({ timeout: statement.ms, shield: statement.shield });
    await scope.run(() => this.#block(withScope(around, statement.id, scope), statement.body));
    this.#log(around, `scope ${statement.id} called=${Number(scope.cancelCalled)} caught=${Number(scope.cancelledCaught)}`);
  }

  #spawn(around: Surroundings, { nursery, name, body }: Statement & { op: "spawn" | "start" }): void {
    const { started: _, ...inherited } = around;
    nurseryNamed(around, nursery).startSoon(() => this.#task({ ...inherited, task: name }, body), { name });
  }

  async #start(around: Surroundings, { nursery, name, body }: Statement & { op: "spawn" | "start" }): Promise<void> {
    const begin = (_: Task, started: (value: string) => void) => this.#task({ ...around, task: name, started }, body);
    let value: string;
    try {
      value = await nurseryNamed(around, nursery).start<string>(begin, { name });
    } catch (error) {
      if (label(error) !== "RuntimeError") throw error;
      return this.#log(around, `start ${name}: RuntimeError`);
    }
    this.#log(around, `start ${name} -> ${value}`);
  }

  #started(around: Surroundings, value: string): void {
    try {
      around.started?.(value);
    } catch {
      this.#log(around, "started: RuntimeError");
    }
  }

  async #holding(around: Surroundings, id: string, body: Block): Promise<void> {
    await (this.#acquirables.get(id) as Acquirable).run(async () => {
      this.#log(around, `acquired ${id}`);
      await this.#block(around, body);
    });
    this.#log(around, `released ${id}`);
  }
}

function withScope(around: Surroundings, id: string, scope: CancelScope): Surroundings {
  return { ...around, scopes: { ...around.scopes, [id]: scope } };
}

function withNursery(around: Surroundings, id: string, nursery: Nursery): Surroundings {
  return { ...withScope(around, id, nursery), nurseries: { ...around.nurseries, [id]: nursery } };
}

function scopeNamed({ scopes }: Surroundings, id: string): CancelScope {
  return scopes[id] as CancelScope;
}

function nurseryNamed({ nurseries }: Surroundings, id: string): Nursery {
  return nurseries[id] as Nursery;
}

function instant(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "inf";
  return ms === Number.NEGATIVE_INFINITY ? "-inf" : String(ms);
}

/** The labels of README.md. */
function label(error: unknown): string {
  if (error instanceof Boom) return `Boom(${error.message})`;
  if (error instanceof TimeoutError) return "TooSlow";
  if (error instanceof Cancelled) return "Cancelled";
  if (error instanceof ErrorGroup) return `[${error.errors.map(label).sort().join(",")}]`;
  return error instanceof Error && error.name !== "Error" ? "RuntimeError" : `unexpected ${String(error)}`;
}
