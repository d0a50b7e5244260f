import { expect } from "vitest";
import {
  Cancelled,
  CancelScope,
  Event,
  type MemoryChannelEnds,
  type MemoryReceiveChannel,
  type MemorySendChannel,
  type Nursery,
  openMemoryChannel,
  run,
  type Selectable,
  select,
  selectFair,
  sleep,
  type Task,
  timeout,
} from "../../src/index.js";
import { pickOf, type Schedule } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { virtualNow } from "../support/virtual-now.js";
import type { Actor, Case, EndRef, Program, Side, Step } from "./channel-program.js";
import { type Choice, Happening, ModelChannel, Operation, type Outcome, Referee } from "./channel-referee.js";
import { drain } from "./support.js";

/** How often everything is cancelled that still waits: nobody else may ever come for it. */
const PATIENCE = { inSimulation: 30, inProduction: 1 };
/** The key of what is no `select`. */
const ONLY = "only";

type Kind<O extends Step["op"]> = Extract<Step, { readonly op: O }>;

/** A channel and its model, with all handles that were made of them, in the same order. */
interface Channel {
  readonly model: ModelChannel;
  readonly send: MemorySendChannel<number>[];
  readonly receive: MemoryReceiveChannel<number>[];
}

/** How one operation ended. */
export interface Ending {
  readonly actor: number;
  readonly op: Step["op"];
  readonly outcome: Outcome;
  /** Whether it could be done at once. */
  readonly isAtOnce: boolean;
  /** What it would send, if it is the one that is chosen. */
  readonly sends: ReadonlyMap<string, readonly [channel: number, value: number]>;
  /** Of the channel that it received from, if it did. */
  readonly receivesFrom: ReadonlyMap<string, number>;
}

export interface Result {
  readonly endings: readonly Ending[];
  readonly channels: readonly { readonly model: ModelChannel; readonly left: readonly number[] }[];
}

/** Runs a program under the eyes of a referee, who has to agree with all that happens. */
export function runProgram(program: Program, schedule: Schedule): Promise<Result> {
  return simulate((root) => new Runner(program, root, PATIENCE.inSimulation).run(), { pick: pickOf(schedule) });
}

/** As `runProgram`, in real time, on which nothing in the program may depend. */
export function runProgramInProduction(program: Program): Promise<Result> {
  return run((root) => new Runner(program, root, PATIENCE.inProduction).run());
}

class Runner {
  readonly #program: Program;
  readonly #root: Nursery;
  readonly #patience: number;
  readonly #channels: readonly Channel[];
  readonly #referee: Referee;
  readonly #events: readonly Event[];
  readonly #tasks: Task<number>[] = [];
  readonly #happenings: readonly Happening[];
  readonly #ends: readonly Happening[];
  /** Of each actor, the scope of the step that it is at. */
  readonly #scopes: (CancelScope | undefined)[] = [];
  /** What each actor is doing in there. */
  readonly #doing: (Operation | undefined)[] = [];
  readonly #endings: Ending[] = [];
  #values = 0;
  #chance: number;
  /** What was drawn for the operation that begins, and has not been asked for by the referee. */
  #drawn: number[] = [];

  constructor(program: Program, root: Nursery, patience: number) {
    this.#program = program;
    this.#root = root;
    this.#patience = patience;
    this.#channels = program.capacities.map((capacity) => {
      const { send, receive }: MemoryChannelEnds<number> = openMemoryChannel(capacity);
      return { model: new ModelChannel(capacity), send: [send], receive: [receive] };
    });
    this.#referee = new Referee(this.#channels.map(({ model }) => model));
    this.#events = Array.from({ length: program.events }, () => new Event());
    this.#happenings = this.#events.map(() => new Happening());
    this.#ends = program.tasks.map(() => new Happening());
    this.#chance = program.chance;
  }

  async run(): Promise<Result> {
    // What `selectFair` draws is known to the referee as well.
    const { _runtime: runtime } = this.#root;
    Object.assign(runtime, { random: () => this.#draw() });
    this.#root.defer(() => void Reflect.deleteProperty(runtime, "random"));
    this.#program.tasks.forEach((ms, n) => {
      this.#tasks.push(this.#root.startSoon(() => this.#target(n, ms)));
    });
    const actors = this.#program.actors.map((actor, who) => this.#root.startSoon(() => this.#act(actor, who)));
    this.#root.startSoon(
      async () => {
        for (;;) {
          await sleep(this.#patience);
          this.#referee.isTime(virtualNow(this.#root));
          for (const scope of this.#scopes) scope?.cancel();
        }
      },
      { background: true },
    );
    for (const actor of actors) await actor.join();
    this.#check();
    expect(this.#referee.waiting).toBe(0);
    return { endings: this.#endings, channels: this.#channels.map((channel) => ({ model: channel.model, left: leftIn(channel) })) };
  }

  /** Somebody to be joined. */
  async #target(n: number, ms: number): Promise<number> {
    const happening = this.#ends[n] as Happening;
    try {
      await sleep(ms);
    } catch (error) {
      this.#referee.isTime(virtualNow(this.#root));
      this.#referee.happens(happening, { error: "TaskCancelledError" });
      throw error;
    }
    this.#referee.isTime(virtualNow(this.#root));
    this.#referee.happens(happening, { value: n });
    return n;
  }

  async #act(steps: Actor, who: number): Promise<void> {
    for (const step of steps) {
      if ("timeout" in step) await this.#within(who, step.timeout, () => this.#do(who, step));
      else await this.#do(who, step);
    }
  }

  async #within(who: number, timeout: number | undefined, body: () => Promise<void> | void): Promise<void> {
    const scope = new CancelScope({ timeout });
    this.#scopes[who] = scope;
    scope.signal.addEventListener("abort", () => {
      const operation = this.#doing[who];
      const isDeadline = scope.signal.reason.kind === "deadline";
      this.#referee.isTime(virtualNow(this.#root), isDeadline);
      if (operation !== undefined) this.#referee.isCancelled(operation, isDeadline);
    });
    await scope.run(body);
  }

  #do(who: number, step: Step): Promise<void> | void {
    switch (step.op) {
      case "send":
      case "sendNowait": {
        const [channel, handle] = this.#handle("send", step.end);
        const end = channel.send[handle] as MemorySendChannel<number>;
        const value = ++this.#values;
        const choices: Choice[] = [{ key: ONLY, of: "send", channel: channel.model, handle, value }];
        return step.op === "send"
          ? this.#perform(who, step, choices, () => end.send(value))
          : this.#performNow(who, step, choices, () => end.sendNowait(value));
      }
      case "receive":
      case "receiveNowait": {
        const [channel, handle] = this.#handle("receive", step.end);
        const end = channel.receive[handle] as MemoryReceiveChannel<number>;
        const choices: Choice[] = [{ key: ONLY, of: "receive", channel: channel.model, handle, orEnd: false }];
        return step.op === "receive"
          ? this.#perform(who, step, choices, () => end.receive())
          : this.#performNow(who, step, choices, () => end.receiveNowait());
      }
      case "select":
        return this.#select(who, step);
      case "iterate":
        return this.#iterate(who, step);
      case "clone":
      case "close":
        return this.#tend({ ...step, op: step.op });
      case "closeAll":
        for (let i = 0; i < (this.#channels[step.end.channel]?.[step.side].length ?? 0); i++) {
          this.#tend({ ...step, op: "close", end: { ...step.end, handle: i } });
        }
        return;
      case "set":
        return this.#set(step.n % this.#events.length);
      case "cancelTask":
        return this.#tasks[step.n % this.#tasks.length]?.cancel();
      case "cancel":
        this.#referee.isTime(virtualNow(this.#root));
        this.#scopes[step.actor % this.#program.actors.length]?.cancel();
        return this.#check();
      case "sleep":
        return sleep(step.ms);
    }
  }

  #handle(side: Side, { channel: n, handle }: EndRef): readonly [channel: Channel, handle: number] {
    const channel = this.#channels[n] as Channel;
    return [channel, handle % channel[side].length];
  }

  /** An operation that may wait; `call` does it. */
  async #perform(
    who: number,
    step: Step,
    choices: readonly Choice[],
    call: () => Promise<unknown>,
    onCancelled?: () => void,
  ): Promise<void> {
    const { op } = step;
    const scope = this.#scopes[who] as CancelScope;
    const operation = new Operation(choices, onCancelled);
    this.#drawn = [];
    this.#referee.isTime(virtualNow(this.#root));
    const promise = call();
    // Whatever it does, it has done by now, or it is in line.
    if (scope.signal.aborted) this.#referee.isCancelled(operation);
    else this.#referee.begins(operation, true, op === "select" && step.isFair ? () => this.#drawn.pop() as number : undefined);
    expect(this.#drawn).toEqual([]);
    this.#check();
    this.#doing[who] = operation;
    const isAtOnce = operation.outcome !== undefined;
    const actual = await outcomeOf(promise, op === "select");
    this.#doing[who] = undefined;
    this.#referee.isTime(virtualNow(this.#root));
    expect(actual).toEqual(operation.outcome);
    this.#check();
    this.#note(who, op, choices, actual, isAtOnce);
  }

  /** An operation that does not wait. */
  #performNow(who: number, { op }: Step, choices: readonly Choice[], call: () => unknown): void {
    const operation = new Operation(choices);
    this.#referee.isTime(virtualNow(this.#root));
    this.#referee.begins(operation, false);
    let actual: Outcome;
    try {
      actual = { key: ONLY, value: call() };
    } catch (error) {
      actual = failed(error);
    }
    expect(actual).toEqual(operation.outcome);
    this.#check();
    this.#note(who, op, choices, actual, true);
  }

  #select(who: number, step: Kind<"select">): Promise<void> {
    const choices: Choice[] = [];
    const cases: Record<string, Selectable<unknown>> = {};
    step.cases.forEach((one, i) => {
      const [choice, selectable] = this.#case(`case ${i}`, one);
      choices.push(choice);
      cases[choice.key] = selectable;
    });
    const choose = step.isFair ? selectFair : select;
    return this.#perform(who, step, choices, () => choose(cases));
  }

  #case(key: string, one: Case): readonly [Choice, Selectable<unknown>] {
    switch (one.of) {
      case "send": {
        const [{ model, send }, handle] = this.#handle("send", one.end);
        const value = ++this.#values;
        return [{ key, of: "send", channel: model, handle, value }, (send[handle] as MemorySendChannel<number>).sending(value)];
      }
      case "receive": {
        const [{ model, receive }, handle] = this.#handle("receive", one.end);
        const end = receive[handle] as MemoryReceiveChannel<number>;
        const { orEnd } = one;
        return [{ key, of: "receive", channel: model, handle, orEnd }, orEnd ? end.orEnd : end];
      }
      case "event": {
        const n = one.n % this.#events.length;
        return [{ key, of: "happening", what: this.#happenings[n] as Happening }, this.#events[n] as Event];
      }
      case "task": {
        const n = one.n % this.#tasks.length;
        return [{ key, of: "happening", what: this.#ends[n] as Happening }, this.#tasks[n] as Task<number>];
      }
      case "timeout":
        return [{ key, of: "timeout", ms: one.ms }, timeout(one.ms)];
    }
  }

  async #iterate(who: number, step: Kind<"iterate">): Promise<void> {
    const [{ model, receive }, handle] = this.#handle("receive", step.end);
    const end = receive[handle] as MemoryReceiveChannel<number>;
    const choices: Choice[] = [{ key: ONLY, of: "receive", channel: model, handle, orEnd: true }];
    const leave = () => {
      if (!step.preventCancel) this.#referee.closes("receive", model, handle);
    };
    const inner = end.values({ preventCancel: step.preventCancel });
    const watched: AsyncIterator<number, undefined> = {
      next: async () => {
        let next: Promise<IteratorResult<number, undefined>> | undefined;
        await this.#perform(
          who,
          step,
          choices,
          () => {
            next = inner.next();
            return next;
          },
          leave,
        );
        return next as Promise<IteratorResult<number, undefined>>;
      },
      return: async () => {
        this.#referee.isTime(virtualNow(this.#root));
        const result = inner.return?.() as Promise<IteratorResult<number, undefined>>;
        leave();
        this.#check();
        return result;
      },
    };
    let taken = 0;
    try {
      for await (const _ of { [Symbol.asyncIterator]: () => watched }) {
        if (step.ms !== undefined) await sleep(step.ms);
        if (++taken < step.most) continue;
        if (step.leave === "break") break;
        throw new Error("left");
      }
    } catch {
      // Of its operations the referee has been told.
    }
  }

  #tend({ op, side, end }: { readonly op: "clone" | "close"; readonly side: Side; readonly end: EndRef }): void {
    const [channel, handle] = this.#handle(side, end);
    const real = channel[side][handle] as MemorySendChannel<number> | MemoryReceiveChannel<number>;
    this.#referee.isTime(virtualNow(this.#root));
    const isOpen = channel.model.open[side].has(handle);
    expect(real.isClosed).toBe(!isOpen);
    if (op === "close") {
      real.close();
      this.#referee.closes(side, channel.model, handle);
    } else if (!isOpen) expect(() => real.clone()).toThrow("it cannot be cloned any more");
    else {
      (channel[side] as unknown[]).push(real.clone());
      channel.model.open[side].add(channel.model.handles[side]++);
    }
    this.#check();
  }

  #set(n: number): void {
    this.#referee.isTime(virtualNow(this.#root));
    this.#events[n]?.set();
    this.#referee.happens(this.#happenings[n] as Happening, { value: undefined });
    this.#check();
  }

  #draw(): number {
    this.#chance = (Math.imul(this.#chance, 1_664_525) + 1_013_904_223) >>> 0;
    const drawn = this.#chance / 2 ** 32;
    this.#drawn.push(drawn);
    return drawn;
  }

  /** What the library counts is what the referee does. */
  #check(): void {
    for (const { model, send } of this.#channels) expect(send[0]?.statistics()).toEqual(model.statistics());
    this.#events.forEach((event, n) => {
      expect([event.isSet, event.statistics().tasksWaiting]).toEqual([
        this.#happenings[n]?.outcome !== undefined,
        this.#happenings[n]?.line.length,
      ]);
    });
  }

  #note(actor: number, op: Step["op"], choices: readonly Choice[], outcome: Outcome, isAtOnce: boolean): void {
    const indexOf = (model: ModelChannel) => this.#channels.findIndex((channel) => channel.model === model);
    const sends = choices.flatMap((choice) =>
      choice.of === "send" ? [[choice.key, [indexOf(choice.channel), choice.value]] as const] : [],
    );
    const receives = choices.flatMap((choice) => (choice.of === "receive" ? [[choice.key, indexOf(choice.channel)] as const] : []));
    this.#endings.push({ actor, op, outcome, isAtOnce, sends: new Map(sends), receivesFrom: new Map(receives) });
  }
}

/** What is left in the buffer, if anybody can have it. */
function leftIn({ receive }: Channel): readonly number[] {
  const open = receive.find((end) => !end.isClosed);
  if (open === undefined) return [];
  return drain(open);
}

async function outcomeOf(promise: Promise<unknown>, isSelect: boolean): Promise<Outcome> {
  try {
    const value = await promise;
    return isSelect ? (value as Outcome) : { key: ONLY, value };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Outcome {
  if (error instanceof Cancelled) return "cancelled";
  const { name } = error as Error;
  return name === "WouldBlock" ? name : ({ error: name } as Outcome);
}
