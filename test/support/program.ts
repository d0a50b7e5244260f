/**
 * A structured program as static data: what `programs()` makes and what an `Interpreter` runs. It says nothing of what is to be tested.
 *
 * Every program is valid whatever it holds, so shrinking keeps it so: what it refers to is a number, taken modulo how many there are. Every
 * program also comes to an end by itself: sleeps are finite, there are no loops, and what might wait for ever has a `patience`.
 */
export interface Program {
  readonly errors?: "group" | undefined;
  readonly body: Block;
}

export type Block = readonly Statement[];

/** Who is meant: the n-th of those around the statement, from the inside out, or of all there have ever been, from the newest on. */
export interface Ref {
  readonly among: "around" | "all";
  readonly n: number;
}

/** A function that is handed to the library. A synchronous one holds only statements that do not wait. */
export interface Code {
  readonly isAsync: boolean;
  readonly body: Block;
}

/** What a `throw` throws; `valueOf` in throwables.ts says what each of them is. */
export const THROWN = [
  "fresh",
  "same-0",
  "same-1",
  "undefined",
  "null",
  "string",
  "zero",
  "frozen",
  "aggregate",
  "abort",
  "timeout",
  "stale",
] as const;
export type Thrown = (typeof THROWN)[number];

/** Milliseconds for which something is waited that may never come. */
interface Patient {
  readonly patience: number;
}

export type Statement =
  | { readonly op: "checkpoint" }
  | { readonly op: "sleep"; readonly ms: number }
  /** A sleep whose promise is dropped. */
  | { readonly op: "drop"; readonly ms: number }
  /** Code that nobody awaits; what it throws is caught. */
  | { readonly op: "float"; readonly body: Block }
  | { readonly op: "nursery"; readonly errors?: "group" | "collapse" | undefined; readonly code: Code }
  | { readonly op: "scope"; readonly timeout?: number | undefined; readonly shield: boolean; readonly code: Code }
  | { readonly op: "failAfter"; readonly ms: number; readonly code: Code }
  | { readonly op: "shield"; readonly timeout?: number | undefined; readonly code: Code }
  | { readonly op: "spawn"; readonly nursery: Ref; readonly background: boolean; readonly code: Code }
  | { readonly op: "start"; readonly nursery: Ref; readonly background: boolean; readonly code: Code }
  /** Calls the `started` of the innermost start around it, if there is one. */
  | { readonly op: "started" }
  | ({ readonly op: "join"; readonly task: number } & Patient)
  /** Any scope: nurseries, tasks, the run and cleanups are scopes too. */
  | { readonly op: "cancel"; readonly scope: Ref }
  /** Moves a deadline to `ms` from now. */
  | { readonly op: "deadline"; readonly scope: Ref; readonly ms: number }
  | { readonly op: "setShield"; readonly scope: Ref; readonly on: boolean }
  | { readonly op: "throw"; readonly what: Thrown }
  | {
      readonly op: "try";
      readonly body: Block;
      readonly catch?: { readonly body: Block; readonly finish: "swallow" | "rethrow" | "wrap" } | undefined;
      readonly finally?: Block | undefined;
      /** Whether the handlers run in a shield. */
      readonly shielded: boolean;
    }
  /** Registers a cleanup with the innermost scope; `use` does it by a disposable. */
  | { readonly op: "defer" | "use"; readonly code: Code }
  | { readonly op: "set"; readonly event: number }
  | ({ readonly op: "wait"; readonly event: number } & Patient)
  /** A part that only who has acquired `of` enters; left out if the patience is over. */
  | ({ readonly op: "section"; readonly of: Guard; readonly n: number; readonly body: Block } & Patient);

export type Op = Statement["op"];
export type Guard = "lock" | "semaphore" | "limiter";
