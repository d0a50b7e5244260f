import {
  type Cancellable,
  CapacityLimiter,
  checkpoint,
  Event,
  Lock,
  type Nursery,
  now,
  openNursery,
  park,
  Semaphore,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
} from "../../src/index.js";

/** An asynchronous operation of the library, ready to be done. */
export interface Operation {
  /** Does it. May be called more than once, each time when the one before is over. */
  readonly run: (scope?: Cancellable) => Promise<unknown>;
  /** What it has changed so far, or holds: equal values say that nothing has. */
  readonly effect: () => unknown;
}

/** Makes one in a root nursery. */
type Making = (root: Nursery) => Operation | Promise<Operation>;

const NONE = () => undefined;

async function endedTask(root: Nursery): Promise<Task<string>> {
  let task: Task<string> | undefined;
  await openNursery((nursery) => {
    task = nursery.startSoon(() => "result");
  }, root);
  return task as Task<string>;
}

function ofLock(lock: Lock): () => unknown {
  return () => [lock.isLocked, lock.statistics().tasksWaiting];
}

function ofSemaphore(semaphore: Semaphore): () => unknown {
  return () => [semaphore.value, semaphore.statistics().tasksWaiting];
}

function ofLimiter(limiter: CapacityLimiter): () => unknown {
  return () => [limiter.borrowed, limiter.statistics().tasksWaiting];
}

/** Those that need not wait, because what they wait for is there. */
export const READY: Readonly<Record<string, Making>> = {
  "checkpoint()": () => ({ run: checkpoint, effect: NONE }),
  "sleep(0)": () => ({ run: (scope) => sleep(0, scope), effect: NONE }),
  "sleepUntil() of an instant that has passed": () => ({ run: (scope) => sleepUntil(-1, scope), effect: NONE }),
  "wait() of an event that is set": () => {
    const event = new Event();
    event.set();
    return { run: (scope) => event.wait(scope), effect: () => event.statistics().tasksWaiting };
  },
  "acquire() of a free lock": () => {
    const lock = new Lock();
    const effect = ofLock(lock);
    return { run: (scope) => lock.acquire(scope).then(() => lock.release(scope)), effect };
  },
  "run() of a free lock": () => {
    const lock = new Lock();
    let runs = 0;
    return { run: (scope) => lock.run(() => ++runs, scope), effect: () => [runs, ofLock(lock)()] };
  },
  "acquire() of a semaphore": () => {
    const semaphore = new Semaphore(3);
    const effect = ofSemaphore(semaphore);
    return { run: (scope) => semaphore.acquire(scope).then(() => semaphore.release()), effect };
  },
  "run() of a semaphore": () => {
    const semaphore = new Semaphore(3);
    let runs = 0;
    return { run: (scope) => semaphore.run(() => ++runs, scope), effect: () => [runs, ofSemaphore(semaphore)()] };
  },
  "acquire() of a limiter": () => {
    const limiter = new CapacityLimiter(3);
    const effect = ofLimiter(limiter);
    return { run: (scope) => limiter.acquire(scope).then(() => limiter.release(scope)), effect };
  },
  "run() of a limiter": () => {
    const limiter = new CapacityLimiter(3);
    let runs = 0;
    return { run: (scope) => limiter.run(() => ++runs, scope), effect: () => [runs, ofLimiter(limiter)()] };
  },
  "join() of a task that has ended": async (root) => {
    const task = await endedTask(root);
    return { run: (scope) => task.join(scope), effect: NONE };
  },
  "park() that is woken at once": () => {
    let parks = 0;
    const run = (scope?: Cancellable) =>
      park(
        (parked) => {
          parks++;
          parked.wake();
        },
        undefined,
        scope,
      );
    return { run, effect: () => parks };
  },
};

/** Those that have to wait, for ever or until something happens that does not. */
export const WAITING: Readonly<Record<string, Making>> = {
  "sleep()": () => ({ run: (scope) => sleep(1e6, scope), effect: NONE }),
  "sleepUntil()": () => ({ run: (scope) => sleepUntil(now() + 1e6, scope), effect: NONE }),
  "sleepForever()": () => ({ run: sleepForever, effect: NONE }),
  "wait() of an event": () => {
    const event = new Event();
    return { run: (scope) => event.wait(scope), effect: () => event.statistics().tasksWaiting };
  },
  "acquire() of a lock that is held": async (root) => {
    const lock = new Lock();
    await held(root, (scope) => lock.acquireNowait(scope));
    return { run: (scope) => lock.acquire(scope), effect: ofLock(lock) };
  },
  "acquire() of a semaphore without permits": () => {
    const semaphore = new Semaphore(0);
    return { run: (scope) => semaphore.acquire(scope), effect: ofSemaphore(semaphore) };
  },
  "acquire() of a limiter without tokens": () => {
    const limiter = new CapacityLimiter(0);
    return { run: (scope) => limiter.acquire(scope), effect: ofLimiter(limiter) };
  },
  "join() of a task that goes on": (root) => {
    const task = root.startSoon(sleepForever, { background: true });
    return { run: (scope) => task.join(scope), effect: NONE };
  },
  "park()": () => {
    let parks = 0;
    return { run: (scope) => park(() => void parks++, undefined, scope), effect: () => parks };
  },
};

/** Has a task take something, and keep it to the end of the run. */
async function held(root: Nursery, take: (scope: Task) => void): Promise<void> {
  await root.start<void>(
    async (task, started) => {
      take(task);
      started();
      await sleepForever(task);
    },
    { background: true, signal: root.signal },
  );
}
