import type { Awaitable, Cancellable, cancellable } from "creche";
import type { Need, Site } from "../servers/site.js";

/** What an operation is to do: wait until it is cancelled, succeed by itself, or fail by itself. */
export type Way = "stall" | "complete" | "fail";

/** The scope that an operation is called in; it is passed as the options where the platform takes `{ signal }`. */
export type Scope = Cancellable & { readonly signal: AbortSignal };

/** What a probe is set up with. */
export interface Kit extends Site {
  /** An empty folder of its own. */
  readonly folder: string;
  /** Runs after the scenario, the last registered first. */
  defer(cleanup: () => Awaitable<unknown>): void;
}

/**
 * One API, called in one way. The scenarios are made out of it: each calls `call` in a task of its own, after a `setup` of its own.
 */
export interface Probe<Env = unknown> {
  /** What is called, as the table shows it. */
  readonly name: string;
  /** The servers that it talks to. */
  readonly needs?: readonly Need[];
  /** The first Node that has it. */
  readonly since?: number;
  /** Once, before everything: for what takes long to start, and is no part of what is looked at. */
  readonly prepare?: (kit: Kit) => Awaitable<unknown>;
  /** Makes the environment of one scenario. */
  readonly setup?: (kit: Kit) => Awaitable<Env>;
  /**
   * The operation itself. `wrap` is `cancellable`; where it is used, the table shows the call as it is written here, and the suite also runs
   * it with a `wrap` that does nothing, to show what happens without.
   */
  readonly call: (way: Way, task: Scope, env: Env, wrap: Wrap) => Awaitable<unknown>;
  /** The function that has the `wrap` in it, if that is not `call`. */
  readonly shown?: (...args: never) => unknown;
  /** Whether the operation has come to its wait: for one that no server sees, and that takes its time. */
  readonly reached?: (env: Env) => boolean;
  /** Whether an error is the one that `fail` is meant to cause; without it the operation cannot fail by itself. */
  readonly genuine?: (error: unknown) => boolean;
  /** What stays for a while after a cancellation, and cannot be helped: for the reader, and as the suite reports it. */
  readonly leaves?: { readonly what: string; readonly reports: RegExp };
  /** It has a pool, which may open a connection in advance. */
  readonly isPooled?: true;
  /** It ends normally when it is cancelled: whoever awaits it has to look at the scope. */
  readonly resolves?: true;
  /** There is nothing to pass a signal to, or it is not looked at. */
  readonly takesNoSignal?: true;
  /** What the reader should know of it. */
  readonly note?: string;
}

export type Wrap = typeof cancellable;

/** The probes of one kind of API: a part of the table. */
export interface Family {
  readonly title: string;
  readonly probes: readonly Probe[];
}

export function family(title: string, ...probes: readonly Probe[]): Family {
  return { title, probes };
}

/** Infers the type of what `setup` returns, and forgets it. */
export function probe<Env>(definition: Probe<Env>): Probe {
  return definition as Probe;
}
