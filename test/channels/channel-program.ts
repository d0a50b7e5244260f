import fc from "fast-check";

/** Which end of which channel: any of its handles, modulo how many there are. */
export interface EndRef {
  readonly channel: number;
  readonly handle: number;
}

export type Case =
  | { readonly of: "receive"; readonly end: EndRef; readonly orEnd: boolean }
  | { readonly of: "send"; readonly end: EndRef }
  | { readonly of: "event"; readonly n: number }
  | { readonly of: "task"; readonly n: number }
  | { readonly of: "timeout"; readonly ms: number };

export type Side = "send" | "receive";

/** A step in a scope of its own, which may have a deadline. */
interface Waiting {
  readonly timeout: number | undefined;
}

export type Step =
  | ({ readonly op: "send" | "receive"; readonly end: EndRef } & Waiting)
  | { readonly op: "sendNowait" | "receiveNowait"; readonly end: EndRef }
  | ({ readonly op: "select"; readonly isFair: boolean; readonly cases: readonly Case[] } & Waiting)
  /** A loop that is left after `most` items, before which it may come to its end. */
  | ({
      readonly op: "iterate";
      readonly end: EndRef;
      readonly most: number;
      readonly leave: "break" | "throw";
      readonly preventCancel: boolean;
      readonly ms: number | undefined;
    } & Waiting)
  | { readonly op: "clone" | "close" | "closeAll"; readonly side: Side; readonly end: EndRef }
  | { readonly op: "set"; readonly n: number }
  | { readonly op: "cancelTask"; readonly n: number }
  /** Cancels the step that an actor is at. */
  | { readonly op: "cancel"; readonly actor: number }
  | { readonly op: "sleep"; readonly ms: number };

/** What a task does, one step after the other. A step that is cancelled is followed by the next. */
export type Actor = readonly Step[];

/** Tasks that use the same few channels, events and tasks, all at about the same time. */
export interface Program {
  readonly capacities: readonly number[];
  readonly events: number;
  /** After how many milliseconds each of the tasks ends that are there to be joined. */
  readonly tasks: readonly number[];
  readonly actors: readonly Actor[];
  /** What `selectFair` chooses. */
  readonly chance: number;
}

/** Without `time` nothing depends on what a clock says: no deadlines, no tasks that end, and a timeout of 0 only. */
export interface ProgramOptions {
  readonly time: boolean;
}

const capacity = fc.constantFrom(0, 0, 1, 2, 5, Number.POSITIVE_INFINITY);
const anyTime = fc.oneof(fc.constantFrom(0, 1, 2), fc.nat({ max: 8 }));

function record<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const is = <T extends string>(...names: T[]): fc.Arbitrary<T> => fc.constantFrom(...names);

function steps(channels: number, { time }: ProgramOptions): fc.Arbitrary<Step> {
  const ms = time ? anyTime : fc.constant(0);
  const soon = fc.option(ms, { nil: undefined });
  const timeout = time ? fc.option(ms, { nil: undefined, freq: 2 }) : fc.constant(undefined);
  const end = record<EndRef>({ channel: fc.nat({ max: channels - 1 }), handle: fc.nat({ max: 3 }) });
  const n = fc.nat({ max: 2 });
  const side = is<Side>("send", "receive");
  const one: fc.Arbitrary<Case> = fc.oneof(
    { weight: 5, arbitrary: record<Case>({ of: is("receive"), end, orEnd: fc.boolean() }) },
    { weight: 5, arbitrary: record<Case>({ of: is("send"), end }) },
    { weight: 2, arbitrary: record<Case>({ of: is("event"), n }) },
    { weight: time ? 2 : 0, arbitrary: record<Case>({ of: is("task"), n }) },
    { weight: 1, arbitrary: record<Case>({ of: is("timeout"), ms }) },
  );
  const cases = fc.array(one, { minLength: 1, maxLength: 5 });
  const leave = is("break", "throw");
  const most = fc.integer({ min: 1, max: 4 });
  const preventCancel = fc.constantFrom(true, true, false);
  return fc.oneof(
    { weight: 10, arbitrary: record<Step>({ op: is("send"), end, timeout }) },
    { weight: 10, arbitrary: record<Step>({ op: is("receive"), end, timeout }) },
    { weight: 3, arbitrary: record<Step>({ op: is("sendNowait", "receiveNowait"), end }) },
    { weight: 12, arbitrary: record<Step>({ op: is("select"), isFair: fc.boolean(), cases, timeout }) },
    { weight: 4, arbitrary: record<Step>({ op: is("iterate"), end, most, leave, preventCancel, ms: soon, timeout }) },
    { weight: 3, arbitrary: record<Step>({ op: is("clone"), side, end }) },
    { weight: 2, arbitrary: record<Step>({ op: is("close", "closeAll"), side, end }) },
    { weight: 1, arbitrary: record<Step>({ op: is("set"), n }) },
    { weight: 1, arbitrary: record<Step>({ op: is("cancelTask"), n }) },
    { weight: 2, arbitrary: record<Step>({ op: is("cancel"), actor: fc.nat({ max: 7 }) }) },
    { weight: 5, arbitrary: record<Step>({ op: is("sleep"), ms }) },
  );
}

export function channelPrograms(options: ProgramOptions): fc.Arbitrary<Program> {
  return fc.array(capacity, { minLength: 1, maxLength: 2 }).chain((capacities) => {
    const actor = fc.array(steps(capacities.length, options), { minLength: 1, maxLength: 10, size: "max" });
    return record<Program>({
      capacities: fc.constant(capacities),
      events: fc.constant(2),
      tasks: fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 2 }),
      actors: fc.array(actor, { minLength: 1, maxLength: 7, size: "max" }),
      chance: fc.nat(),
    });
  });
}
