import type { BytesName, JobName, TimedName } from "./contenders/contender.js";
import type { PeerName } from "./contenders/load.js";

/** What creche is to reach. */
export type Goal =
  /** CPU time, creche / floor, and the same with scopes that find themselves. */
  | { readonly kind: "floor"; readonly most: number; readonly ambient?: number }
  /** CPU time, creche / the fastest peer. */
  | { readonly kind: "peers"; readonly most: number }
  /** CPU time for each child, creche / creche with fewer of them. */
  | { readonly kind: "growth"; readonly most: number; readonly from: number }
  /** Bytes. */
  | { readonly kind: "bytes"; readonly most: number };

/** A job of some size: a line of the table. */
export interface Row {
  readonly row: string;
  readonly job: JobName;
  readonly size: number;
  /** What there are `size` of. */
  readonly of: string;
  readonly goal?: Goal;
  readonly peers: readonly PeerName[];
}

const scopes: readonly PeerName[] = ["effect", "effection", "abort-controller-x", "redux-saga"];
const spawners: readonly PeerName[] = [...scopes, "rxjs", "p-map", "p-limit", "p-queue", "async"];
const mappers: readonly PeerName[] = ["p-map", "p-limit", "p-queue", "async", "rxjs", "effect", "effection", "redux-saga"];
const limiters: readonly PeerName[] = ["async-mutex", "p-limit", "p-queue", "effect"];
const floor = (most: number, ambient?: number): Goal => ({ kind: "floor", most, ...(ambient !== undefined && { ambient }) });

const spawnGoals = [floor(1.7, 2.6), floor(1.7, 2.7), floor(2, 4.5)];
const cancelGoals = [undefined, floor(0.05), { kind: "growth", most: 1.5, from: 1e4 } as const];
const nestedGoals = [floor(3), floor(3), undefined];

export const rows: readonly Row[] = [
  ...[1e3, 1e4, 1e5].map((size, i) => timed("spawn+join", "spawn", size, "child", spawners, spawnGoals[i])),
  ...[1e3, 1e4, 1e5].map((size, i) => timed("spawn+sleep+cancel", "cancel", size, "child", [...scopes, "rxjs"], cancelGoals[i])),
  ...[300, 1000, 1e4].map((size, i) => timed("nested nurseries", "nested", size, "level", scopes, nestedGoals[i])),
  timed("map, at most 10", "map", 1e5, "item", mappers, floor(0.9)),
  timed("forEach, at most 10", "forEach", 1e5, "item", mappers, floor(0.9)),
  timed("channel of 16", "channel16", 1e5, "item", ["effect", "effection", "redux-saga"], floor(0.9)),
  timed("channel of 0", "channel0", 1e5, "item", [], floor(1.5)),
  timed("lock, uncontended", "lock", 1e5, "turn", ["async-mutex", "p-limit", "effect"], floor(2)),
  timed("lock, 100 tasks", "lockCrowd", 1e4, "turn", limiters, { kind: "peers", most: 1 }),
  timed("semaphore of 1, 100 tasks", "semaphoreCrowd", 1e4, "turn", limiters, { kind: "peers", most: 1 }),
  timed("timeout scope, unused", "timeout", 1e4, "scope", [...scopes, "rxjs", "p-queue"], floor(0.5)),
  timed("checkpoint", "checkpoint", 1e5, "checkpoint", ["effect"]),
  timed("all of 10", "all", 1e3, "all", [...scopes, "rxjs", "p-map", "async"], floor(2)),
  timed("race of 3", "race", 1e3, "race", [...scopes, "rxjs", "async"], floor(3)),
  bytes("idle sleeping child", "idle", 1e4, "child", 900, [...scopes, "rxjs"]),
  bytes("kept per settled child", "settled", 2e4, "child", 0, [...scopes, "rxjs", "p-limit", "p-queue"]),
  bytes("kept per scope of a signal", "foreign", 2e4, "scope", 0, ["effect", "abort-controller-x", "p-map", "p-queue"]),
];

function timed(row: string, job: TimedName, size: number, of: string, peers: readonly PeerName[], goal?: Goal): Row {
  return { row, job, size, of, peers, ...(goal && { goal }) };
}

function bytes(row: string, job: BytesName, size: number, of: string, most: number, peers: readonly PeerName[]): Row {
  return { row, job, size, of, peers, goal: { kind: "bytes", most } };
}

export function isBytes(job: JobName): job is BytesName {
  return job === "idle" || job === "settled" || job === "foreign";
}
