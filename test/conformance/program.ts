/** The format of a conformance case: see README.md beside this file. */
export interface Case {
  readonly id: string;
  readonly program: Program;
  readonly trace: Trace;
}

export interface Program {
  readonly events?: readonly string[];
  readonly locks?: readonly string[];
  readonly semaphores?: Readonly<Record<string, number>>;
  readonly limiters?: Readonly<Record<string, number>>;
  readonly channels?: Readonly<Record<string, number>>;
  readonly conditions?: readonly string[];
  readonly body: Block;
}

export type Block = readonly Statement[];

export type Statement =
  | { readonly op: "log"; readonly msg: string }
  | { readonly op: "sleep"; readonly ms: number }
  | { readonly op: "checkpoint" }
  | { readonly op: "raise"; readonly msg: string }
  | { readonly op: "loop"; readonly n: number; readonly body: Block }
  | { readonly op: "try"; readonly body: Block; readonly catch?: Block; readonly finally?: Block }
  | { readonly op: "scope"; readonly id: string; readonly ms?: number; readonly shield?: boolean; readonly body: Block }
  | { readonly op: "fail"; readonly id: string; readonly ms: number; readonly body: Block }
  | { readonly op: "cancel"; readonly scope: string }
  | { readonly op: "shield"; readonly scope: string; readonly value: boolean }
  | { readonly op: "deadline"; readonly scope: string; readonly ms: number }
  | { readonly op: "effective_deadline" }
  | { readonly op: "nursery"; readonly id: string; readonly body: Block }
  | { readonly op: "spawn" | "start"; readonly nursery: string; readonly name: string; readonly body: Block }
  | { readonly op: "started"; readonly value: string }
  | { readonly op: "event_set" | "event_wait"; readonly id: string }
  | { readonly op: "lock" | "semaphore" | "limiter"; readonly id: string; readonly body: Block }
  | { readonly op: "limiter_total"; readonly id: string; readonly n: number }
  | { readonly op: "condition"; readonly id: string; readonly body: Block }
  | { readonly op: "condition_wait"; readonly id: string }
  | { readonly op: "notify"; readonly id: string; readonly n: number | "all" }
  | ChannelStatement;

export type ChannelStatement =
  | { readonly op: "send" | "send_nowait"; readonly id: string; readonly value: string }
  | { readonly op: "receive" | "receive_nowait"; readonly id: string }
  | { readonly op: "close_send" | "close_receive"; readonly id: string }
  | { readonly op: "clone"; readonly id: string; readonly end: ChannelEnd; readonly as: string; readonly body: Block }
  | { readonly op: "closing"; readonly id: string; readonly end: ChannelEnd; readonly body: Block }
  | { readonly op: "iterate"; readonly id: string; readonly body: Block };

export type ChannelEnd = "send" | "receive";

/** Per task its events, each with its time; and how the whole program ended. */
export interface Trace {
  readonly tasks: Readonly<Record<string, readonly Entry[]>>;
  readonly outcome: string;
}

export type Entry = readonly [time: number, event: string];
