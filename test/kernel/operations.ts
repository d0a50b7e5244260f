import {
  CapacityLimiter,
  checkpoint,
  Event,
  Lock,
  type Nursery,
  park,
  Semaphore,
  sleep,
  sleepForever,
  sleepUntil,
} from "../../src/index.js";

/** An async function of the library, brought into a state. What it would have taken can be asked afterwards. */
export interface Operation {
  readonly name: string;
  /** Makes what it works on, and returns how to call it. Called in the body of a nursery. */
  readonly prepare: (nursery: Nursery) => Promise<Prepared> | Prepared;
}

export interface Prepared {
  readonly call: () => Promise<unknown>;
  /** What it has changed, or has left behind: the same before the call and after one that had no effect. */
  readonly trace: () => unknown;
  /** Lets a call that waits come to its end. */
  readonly complete?: () => void;
}

const nothing = () => undefined;

/** Each async function where it need not wait: it could be done at once. */
export const immediate: Operation[] = [
  { name: "checkpoint()", prepare: () => ({ call: () => checkpoint(), trace: nothing }) },
  { name: "sleep(0)", prepare: () => ({ call: () => sleep(0), trace: nothing }) },
  { name: "sleepUntil() of the past", prepare: () => ({ call: () => sleepUntil(-1), trace: nothing }) },
  {
    name: "wait() of an event that is set",
    prepare: () => {
      const event = new Event();
      event.set();
      return { call: () => event.wait(), trace: () => event.statistics() };
    },
  },
  {
    name: "acquire() of a free lock",
    prepare: () => {
      const lock = new Lock();
      return { call: () => lock.acquire(), trace: () => lock.statistics() };
    },
  },
  {
    name: "run() of a free lock",
    prepare: () => {
      const lock = new Lock();
      return { call: () => lock.run(nothing), trace: () => lock.statistics() };
    },
  },
  {
    name: "acquire() of a semaphore with a permit",
    prepare: () => {
      const semaphore = new Semaphore(1);
      return { call: () => semaphore.acquire(), trace: () => semaphore.statistics() };
    },
  },
  {
    name: "acquire() of a limiter with a token",
    prepare: () => {
      const limiter = new CapacityLimiter(1);
      return { call: () => limiter.acquire(), trace: () => limiter.statistics() };
    },
  },
  {
    name: "join() of a task that is done",
    prepare: async (nursery) => {
      const task = nursery.startSoon(() => "value");
      await task.join();
      return { call: () => task.join(), trace: () => task.state };
    },
  },
];

/** Each async function where it has to wait. */
export const waiting: Operation[] = [
  { name: "sleep()", prepare: () => ({ call: () => sleep(1_000), trace: nothing }) },
  { name: "sleepForever()", prepare: () => ({ call: () => sleepForever(), trace: nothing }) },
  {
    name: "wait() of an event",
    prepare: () => {
      const event = new Event();
      return { call: () => event.wait(), trace: () => event.statistics(), complete: () => event.set() };
    },
  },
  {
    name: "acquire() of a lock that another task holds",
    prepare: async (nursery) => {
      const lock = new Lock();
      const isDone = new Event();
      nursery.startSoon(() => lock.run(() => isDone.wait()), { background: true });
      await sleep(1);
      return { call: () => lock.acquire(), trace: () => lock.statistics().tasksWaiting, complete: () => isDone.set() };
    },
  },
  {
    name: "acquire() of a semaphore without a permit",
    prepare: () => {
      const semaphore = new Semaphore(0);
      return { call: () => semaphore.acquire(), trace: () => semaphore.statistics(), complete: () => semaphore.release() };
    },
  },
  {
    name: "acquire() of a limiter without a token",
    prepare: () => {
      const limiter = new CapacityLimiter(0);
      return {
        call: () => limiter.acquire(),
        trace: () => limiter.statistics().tasksWaiting,
        complete: () => {
          limiter.total = 1;
        },
      };
    },
  },
  {
    name: "join() of a task that runs",
    prepare: (nursery) => {
      const isDone = new Event();
      const task = nursery.startSoon(() => isDone.wait(), { background: true });
      return { call: () => task.join(), trace: nothing, complete: () => isDone.set() };
    },
  },
  {
    name: "park()",
    prepare: () => {
      const parked = new Set<() => boolean>();
      const complete = () => {
        for (const wake of parked) wake();
      };
      const call = () =>
        park((handle) => {
          const wake = () => handle.wake();
          parked.add(wake);
          return () => parked.delete(wake);
        });
      return { call, trace: () => parked.size, complete };
    },
  },
];
