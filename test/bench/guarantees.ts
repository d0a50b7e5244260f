import type { JobName } from "./contenders/contender.js";
import type { PeerName } from "./contenders/load.js";

// What is not the same in what the peers do, so that nobody compares only the numbers. From their docs and sources, in the versions of package.json.

/** What a library does not guarantee in any of the rows. */
const always: Readonly<Record<PeerName, string>> = {
  effect:
    "a failing forkChild is not seen by its parent, and children are interrupted, not awaited, when the parent ends; runPromise reports the first error only",
  effection: "children are halted, not awaited, when the body returns; of several errors the last is told; teardown is one after the other",
  "abort-controller-x":
    "forks are aborted when the main function ends; of several errors the last is told; an AbortError of anybody counts as the own cancellation",
  "redux-saga":
    "a parent that fails or is cancelled does not wait for cleanup in its children; no AbortSignal; what `yield` gives is not typed",
  rxjs: "unsubscribing tells, and waits for nothing; a promise that has begun goes on",
  "p-map": "rejects while other mappers still run, and tells them nothing",
  "p-limit": "owns nothing: what has begun goes on, errors are each caller's own",
  "p-queue": "owns nothing: a job goes on after `add` has rejected, and onIdle does not wait for it",
  async: "calls back at the first error while the others still run; nothing can be cancelled",
  "async-mutex": "one waiter cannot be cancelled: `cancel` rejects all who wait; no owner, anybody can release",
};

/** What it does not in some. */
const inSome: readonly (readonly [PeerName, readonly JobName[], string])[] = [
  ["effect", ["spawn"], "a failure is seen because of joinAll, after those joined before it"],
  ["effect", ["lock", "lockCrowd"], "there is no lock, only a semaphore of 1: no owner, nothing refuses a second acquire"],
  ["effect", ["checkpoint"], "yieldNow also lets timers and I/O in; checkpoint is one turn of the microtask queue"],
  ["effection", ["map", "forEach"], "no function of the library: ten loops by hand"],
  ["effection", ["channel16"], "unbounded: no back-pressure; the producer waits once in 16 items"],
  ["effection", ["timeout"], "no function of the core: a race with sleep"],
  ["abort-controller-x", ["timeout"], "no function of the library: a race with delay; an error of the late job is lost"],
  ["redux-saga", ["map", "forEach"], "no function of the library: ten loops by hand"],
  ["redux-saga", ["channel16"], "unbounded buffer: no back-pressure; the producer waits once in 16 items"],
  ["redux-saga", ["timeout"], "no function of the library: a race with delay"],
  ["redux-saga", ["race"], "the other calls are told only when their promises have a CANCEL method, and not awaited"],
  ["rxjs", ["timeout"], "the job is left running when it is late"],
  ["rxjs", ["race"], "the losers run on"],
  ["rxjs", ["idle", "cancel"], "subscriptions to timers: there is no code that waits and could clean up"],
  [
    "p-limit",
    ["lock", "lockCrowd", "semaphoreCrowd"],
    "the job is a function, not a scope; who waits cannot be cancelled (clearQueue drops all of them)",
  ],
  ["p-queue", ["timeout"], "the job runs on when it is late, unless it heeds its signal"],
  ["async", ["race"], "the losers run on"],
];

/** What is to be said under a table that has these peers in these jobs, a line each. */
export function guaranteesOf(peersByJob: ReadonlyMap<JobName, readonly PeerName[]>): readonly string[] {
  const present = new Set([...peersByJob.values()].flat());
  return (Object.keys(always) as PeerName[])
    .filter((name) => present.has(name))
    .flatMap((name) => [
      `${name}: ${always[name]}`,
      ...inSome.flatMap(([peer, jobs, text]) => {
        const here = jobs.filter((job) => peer === name && peersByJob.get(job)?.includes(name));
        return here.length === 0 ? [] : [`    ${here.join(", ")}: ${text}`];
      }),
    ]);
}
