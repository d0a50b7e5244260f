import {
  type Cancellable,
  CapacityLimiter,
  checkpoint,
  Event,
  Lock,
  type MemoryChannelEnds,
  type Nursery,
  now,
  openMemoryChannel,
  openNursery,
  park,
  Semaphore,
  select,
  selectFair,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
  timeout,
  type ValuesOptions,
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

function ofChannels(...channels: readonly MemoryChannelEnds<number>[]): () => unknown {
  return () => channels.map(({ send }) => send.statistics());
}

/** A channel without a limit that has items in it. */
function filled(...items: readonly number[]): MemoryChannelEnds<number> {
  const channel = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
  for (const item of items) channel.send.sendNowait(item);
  return channel;
}

/** Options for an iteration in `scope` that leaves the channel as it is. */
function iterating(scope: Cancellable | undefined): ValuesOptions {
  return { signal: scope?.signal, preventCancel: true };
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
  "send() to a channel with room": () => {
    const channel = filled();
    return { run: (scope) => channel.send.send(1, scope), effect: ofChannels(channel) };
  },
  "receive() of what is there": () => {
    const channel = filled(1, 2);
    const run = (scope?: Cancellable) => channel.receive.receive(scope).then((item) => channel.send.sendNowait(item));
    return { run, effect: ofChannels(channel) };
  },
  "next() of a channel, of what is there": () => {
    const channel = filled(1, 2);
    const run = async (scope?: Cancellable) => {
      const { value } = await channel.receive.values(iterating(scope)).next();
      channel.send.sendNowait(value as number);
    };
    return { run, effect: ofChannels(channel) };
  },
  "next() of a channel at its end": () => {
    const channel = filled();
    channel.send.close();
    return { run: (scope) => channel.receive.values(iterating(scope)).next(), effect: ofChannels(channel) };
  },
  "select() of an item that is there": () => {
    const channel = filled(1, 2);
    const run = async (scope?: Cancellable) => {
      const { value } = await select({ never: new Event(), item: channel.receive }, scope);
      channel.send.sendNowait(value as number);
    };
    return { run, effect: ofChannels(channel) };
  },
  "select() of the end of a channel": () => {
    const channel = filled();
    channel.send.close();
    return { run: (scope) => select({ never: new Event(), item: channel.receive.orEnd }, scope), effect: ofChannels(channel) };
  },
  "select() of a channel with room": () => {
    const [room, full] = [filled(), openMemoryChannel<number>(0)];
    const run = (scope?: Cancellable) => select({ full: full.send.sending(1), room: room.send.sending(2) }, scope);
    return { run, effect: ofChannels(room, full) };
  },
  "select() of an event that is set": () => {
    const [set, never] = [new Event(), new Event()];
    set.set();
    return { run: (scope) => select({ never, set }, scope), effect: () => never.statistics().tasksWaiting };
  },
  "select() of a task that has ended": async (root) => {
    const task = await endedTask(root);
    return { run: (scope) => select({ never: new Event(), task }, scope), effect: NONE };
  },
  "select() of timeout(0)": () => {
    const never = new Event();
    return { run: (scope) => select({ never, late: timeout(0) }, scope), effect: () => never.statistics().tasksWaiting };
  },
  "selectFair() of two that can be done": () => {
    const channel = filled(1, 2);
    const run = async (scope?: Cancellable) => {
      const chosen = await selectFair({ item: channel.receive, room: channel.send.sending(3) }, scope);
      if (chosen.key === "item") channel.send.sendNowait(chosen.value);
    };
    return { run, effect: ofChannels(channel) };
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
  "send() that nobody receives": () => {
    const channel = openMemoryChannel<number>(0);
    return { run: (scope) => channel.send.send(1, scope), effect: ofChannels(channel) };
  },
  "send() to a full channel": () => {
    const channel = openMemoryChannel<number>(1);
    channel.send.sendNowait(0);
    return { run: (scope) => channel.send.send(1, scope), effect: ofChannels(channel) };
  },
  "receive() of an empty channel": () => {
    const channel = openMemoryChannel<number>(1);
    return { run: (scope) => channel.receive.receive(scope), effect: ofChannels(channel) };
  },
  "next() of an empty channel": () => {
    const channel = openMemoryChannel<number>(1);
    return { run: (scope) => channel.receive.values(iterating(scope)).next(), effect: ofChannels(channel) };
  },
  "select() of a receive": () => {
    const channel = openMemoryChannel<number>(1);
    return { run: (scope) => select({ item: channel.receive }, scope), effect: ofChannels(channel) };
  },
  "select() of a receive or the end": () => {
    const channel = openMemoryChannel<number>(1);
    return { run: (scope) => select({ item: channel.receive.orEnd }, scope), effect: ofChannels(channel) };
  },
  "select() of a send": () => {
    const channel = openMemoryChannel<number>(0);
    return { run: (scope) => select({ sent: channel.send.sending(1) }, scope), effect: ofChannels(channel) };
  },
  "select() of an event": () => {
    const event = new Event();
    return { run: (scope) => select({ event }, scope), effect: () => event.statistics().tasksWaiting };
  },
  "select() of a task that goes on": (root) => {
    const task = root.startSoon(sleepForever, { background: true });
    return { run: (scope) => select({ task }, scope), effect: NONE };
  },
  "select() of a timeout": () => ({ run: (scope) => select({ late: timeout(1e6) }, scope), effect: NONE }),
  "select() of all kinds at once": (root) => {
    const [event, channel] = [new Event(), openMemoryChannel<number>(0)];
    const task = root.startSoon(sleepForever, { background: true });
    const run = (scope?: Cancellable) =>
      select(
        {
          item: channel.receive,
          again: channel.receive.orEnd,
          sent: channel.send.sending(1),
          alsoSent: channel.send.sending(2),
          event,
          task,
          late: timeout(1e6),
          later: timeout(Number.POSITIVE_INFINITY),
        },
        scope,
      );
    return { run, effect: () => [ofChannels(channel)(), event.statistics().tasksWaiting] };
  },
  "selectFair()": () => {
    const [channel, other] = [openMemoryChannel<number>(0), openMemoryChannel<number>(0)];
    const run = (scope?: Cancellable) => selectFair({ item: channel.receive, sent: other.send.sending(1) }, scope);
    return { run, effect: ofChannels(channel, other) };
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
