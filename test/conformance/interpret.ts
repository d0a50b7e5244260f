import {
  type Awaitable,
  CancelScope,
  CapacityLimiter,
  Condition,
  checkpoint,
  currentEffectiveDeadline,
  Event,
  failAfter,
  isCancellation,
  Lock,
  now,
  openMemoryChannel,
  openNursery,
  Semaphore,
  sleep,
  type Task,
  UsageError,
} from "../../src/index.js";
import { Boom, label } from "./label.js";
import type { Block, Entry, Program, Statement, Trace } from "./program.js";
import { runChannelStatement } from "./run-channel-statement.js";
import { inside, named, type Surroundings, withChannel, withNursery, withScope } from "./surroundings.js";

const HORIZON = 1_000_000;

interface Acquirable {
  run(body: () => Awaitable<void>, scope?: CancelScope): Promise<void>;
}

/** Runs a program of the conformance format, and returns the trace that it leaves. */
export class Interpreter {
  readonly #tasks: Record<string, Entry[]> = {};
  readonly #events: ReadonlyMap<string, Event>;
  readonly #acquirables = new Map<string, Acquirable>();
  readonly #limiters: ReadonlyMap<string, CapacityLimiter>;
  readonly #conditions: ReadonlyMap<string, Condition>;
  readonly #begin: number;
  readonly #program: Program;
  readonly #root: CancelScope | undefined;

  /** In the ambient scope; or, where `root` is given, in that one, and each scope is passed to what happens in it. */
  constructor(program: Program, root?: CancelScope) {
    this.#program = program;
    this.#root = root;
    this.#begin = now(root);
    this.#events = new Map((program.events ?? []).map((id) => [id, new Event()]));
    this.#limiters = new Map(Object.entries(program.limiters ?? {}).map(([id, tokens]) => [id, new CapacityLimiter(tokens)]));
    this.#conditions = new Map((program.conditions ?? []).map((id) => [id, new Condition()]));
    for (const id of program.locks ?? []) this.#acquirables.set(id, new Lock());
    for (const [id, value] of Object.entries(program.semaphores ?? {})) this.#acquirables.set(id, new Semaphore(value));
    for (const [id, acquirable] of [...this.#limiters, ...this.#conditions]) this.#acquirables.set(id, acquirable);
  }

  async trace(): Promise<Trace> {
    let around: Surroundings = { task: "main", here: this.#root, scopes: {}, nurseries: {}, channels: {} };
    for (const [id, capacity] of Object.entries(this.#program.channels ?? {}))
      around = withChannel(around, id, openMemoryChannel(capacity));
    let outcome = "ok";
    try {
      const horizon = new CancelScope({ timeout: HORIZON });
      await horizon.run(() => this.#task(inside(around, horizon), this.#program.body), this.#root);
      this.#log(around, horizon.cancelledCaught ? "horizon reached" : "horizon not reached");
    } catch (error) {
      outcome = label(error);
    }
    return { tasks: this.#tasks, outcome };
  }

  #log({ task, here }: Surroundings, event: string): void {
    const entries = this.#tasks[task] ?? [];
    this.#tasks[task] = entries;
    entries.push([now(here) - this.#begin, event]);
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
    const { here } = around;
    const log = (event: string) => this.#log(around, event);
    switch (statement.op) {
      case "log":
        return log(statement.msg);
      case "sleep":
        await sleep(statement.ms, here);
        return log(`slept ${statement.ms}`);
      case "checkpoint":
        return checkpoint(here);
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
        await failAfter(statement.ms, (scope) => this.#block(withScope(around, statement.id, scope), statement.body), here);
        return log(`fail ${statement.id} passed`);
      case "cancel":
        return named(around.scopes, statement.scope).cancel();
      case "shield":
        named(around.scopes, statement.scope).shield = statement.value;
        return;
      case "deadline":
        named(around.scopes, statement.scope).deadline = now(here) + statement.ms;
        return;
      case "effective_deadline":
        return log(`effective deadline ${instant(currentEffectiveDeadline(here) - this.#begin)}`);
      case "nursery":
        await openNursery((nursery) => this.#block(withNursery(around, statement.id, nursery), statement.body), here);
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
        await this.#events.get(statement.id)?.wait(here);
        return log(`event ${statement.id}`);
      case "lock":
      case "semaphore":
      case "limiter":
        return this.#holding(around, statement.id, statement.body);
      case "condition":
        return this.#holding(around, statement.id, statement.body);
      case "condition_wait":
        return this.#attempt(around, "wait", async () => {
          await this.#conditions.get(statement.id)?.wait(here);
          log(`notified ${statement.id}`);
        });
      case "notify":
        return this.#attempt(around, "notify", () => this.#notify(statement, here));
      case "limiter_total":
        (this.#limiters.get(statement.id) as CapacityLimiter).total = statement.n;
        return;
      default:
        return runChannelStatement({ around, log, run: (body, inside) => this.#block(inside, body) }, statement);
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
    await scope.run(() => this.#block(withScope(around, statement.id, scope), statement.body), around.here);
    this.#log(around, `scope ${statement.id} called=${Number(scope.cancelCalled)} caught=${Number(scope.cancelledCaught)}`);
  }

  #spawn(around: Surroundings, { nursery, name, body }: Statement & { op: "spawn" | "start" }): void {
    const { started: _, ...inherited } = around;
    named(around.nurseries, nursery).startSoon((task) => this.#task({ ...inside(inherited, task), task: name }, body), { name });
  }

  async #start(around: Surroundings, { nursery, name, body }: Statement & { op: "spawn" | "start" }): Promise<void> {
    const begin = (task: Task, started: (value: string) => void) => this.#task({ ...inside(around, task), task: name, started }, body);
    let value: string;
    try {
      value = await named(around.nurseries, nursery).start<string>(begin, { name, signal: around.here?.signal });
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

  #notify({ id, n }: Statement & { op: "notify" }, here: CancelScope | undefined): void {
    const condition = this.#conditions.get(id);
    if (n === "all") condition?.notifyAll(here);
    else condition?.notify(n, here);
  }

  /** Logs what is misuse, and goes on. */
  async #attempt(around: Surroundings, what: string, operation: () => Awaitable<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#log(around, `${what}: ${label(error)}`);
    }
  }

  async #holding(around: Surroundings, id: string, body: Block): Promise<void> {
    await (this.#acquirables.get(id) as Acquirable).run(async () => {
      this.#log(around, `acquired ${id}`);
      await this.#block(around, body);
    }, around.here);
    this.#log(around, `released ${id}`);
  }
}

function instant(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "inf";
  return ms === Number.NEGATIVE_INFINITY ? "-inf" : String(ms);
}
