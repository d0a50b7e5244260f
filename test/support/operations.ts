import { EventEmitter } from "node:events";
import {
  abandonOnCancel,
  Barrier,
  Broadcast,
  type Cancellable,
  CapacityLimiter,
  Condition,
  cancellable,
  checkpoint,
  Event,
  fromCallback,
  fromEvent,
  fromEvents,
  Lock,
  type MemoryChannelEnds,
  type Nursery,
  now,
  openMemoryChannel,
  openNursery,
  type Parked,
  park,
  RateLimiter,
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

/** One that waits. */
export interface WaitingOperation extends Operation {
  /** Brings the wait to its end, from outside of any task; not given where only time does. */
  readonly complete?: () => unknown;
}

/** Makes one in a root nursery. */
type Making<O> = (root: Nursery) => O | Promise<O>;

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

function ofRate(limiter: RateLimiter): () => unknown {
  return () => [limiter.available, limiter.statistics().tasksWaiting];
}

function listenersOf(emitter: EventEmitter): () => unknown {
  return () => emitter.eventNames().length;
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
export const READY: Readonly<Record<string, Making<Operation>>> = {
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
  "acquireOnBehalfOf() of a limiter": () => {
    const [limiter, borrower] = [new CapacityLimiter(3), {}];
    const run = (scope?: Cancellable) => limiter.acquireOnBehalfOf(borrower, scope).then(() => limiter.releaseOnBehalfOf(borrower));
    return { run, effect: ofLimiter(limiter) };
  },
  "borrow() of a limiter": () => {
    const limiter = new CapacityLimiter(3);
    return { run: (scope) => limiter.borrow(scope).then((token) => token.release()), effect: ofLimiter(limiter) };
  },
  "acquire() of a rate limiter": () => {
    const limiter = new RateLimiter({ limit: 1e9, interval: 1 });
    return { run: (scope) => limiter.acquire(scope), effect: ofRate(limiter) };
  },
  "wait() of a barrier, as the last one": () => {
    const barrier = new Barrier(1);
    return { run: (scope) => barrier.wait(scope), effect: () => barrier.statistics() };
  },
  "send() to a broadcast": () => {
    const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "dropOldest" });
    const subscription = broadcast.subscribe();
    return { run: (scope) => broadcast.send(1, scope), effect: () => [broadcast.statistics(), subscription.statistics()] };
  },
  "receive() of what was broadcast": () => {
    const broadcast = new Broadcast<number>({ capacity: 2, onSlow: "dropOldest" });
    const subscription = broadcast.subscribe();
    broadcast.sendNowait(1);
    const run = (scope?: Cancellable) => subscription.receive(scope).then(() => broadcast.sendNowait(1));
    return { run, effect: () => subscription.statistics() };
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
  "cancellable() of what is done at once": () => {
    let calls = 0;
    return { run: (scope) => cancellable(() => ++calls, undefined, scope), effect: () => calls };
  },
  "fromCallback() that is called back at once": () => {
    let calls = 0;
    return { run: (scope) => fromCallback<number>((done) => done(null, ++calls), undefined, scope), effect: () => calls };
  },
  "abandonOnCancel() of a promise that is settled": () => ({
    run: (scope) => abandonOnCancel(Promise.resolve(), undefined, scope),
    effect: NONE,
  }),
  "receive() of an event that has come": (root) => {
    const emitter = new EventEmitter();
    const events = fromEvents(emitter, "data", undefined, root);
    emitter.emit("data");
    const run = (scope?: Cancellable) => events.receive(scope).then(() => emitter.emit("data"));
    return { run, effect: () => [events._isReady(), events._receivers.size] };
  },
};

/** Those that have to wait, for ever or until something happens that does not. */
export const WAITING: Readonly<Record<string, Making<WaitingOperation>>> = {
  "sleep()": () => ({ run: (scope) => sleep(1e6, scope), effect: NONE }),
  "sleepUntil()": () => ({ run: (scope) => sleepUntil(now() + 1e6, scope), effect: NONE }),
  "sleepForever()": () => ({ run: sleepForever, effect: NONE }),
  "wait() of an event": () => {
    const event = new Event();
    return { run: (scope) => event.wait(scope), effect: () => event.statistics().tasksWaiting, complete: () => event.set() };
  },
  "acquire() of a lock that is held": async (root) => {
    const lock = new Lock();
    await held(root, (scope) => lock.acquireNowait(scope));
    return { run: (scope) => lock.acquire(scope), effect: ofLock(lock) };
  },
  "acquire() of a semaphore without permits": () => {
    const semaphore = new Semaphore(0);
    return { run: (scope) => semaphore.acquire(scope), effect: ofSemaphore(semaphore), complete: () => semaphore.release() };
  },
  "acquire() of a limiter without tokens": () => {
    const limiter = new CapacityLimiter(0);
    return { run: (scope) => limiter.acquire(scope), effect: ofLimiter(limiter), complete: () => (limiter.total = 1) };
  },
  "acquireOnBehalfOf() of a limiter without tokens": () => {
    const [limiter, borrower] = [new CapacityLimiter(0), {}];
    const run = (scope?: Cancellable) => limiter.acquireOnBehalfOf(borrower, scope);
    return { run, effect: ofLimiter(limiter), complete: () => (limiter.total = 1) };
  },
  "borrow() of a limiter without tokens": () => {
    const limiter = new CapacityLimiter(0);
    return { run: (scope) => limiter.borrow(scope), effect: ofLimiter(limiter), complete: () => (limiter.total = 1) };
  },
  "acquire() of a rate limiter without tokens": (root) => {
    const limiter = new RateLimiter({ limit: 1, interval: 1e6 });
    limiter.acquireNowait(root);
    return { run: (scope) => limiter.acquire(scope), effect: ofRate(limiter) };
  },
  "wait() of a barrier": () => {
    const barrier = new Barrier(2);
    return { run: (scope) => barrier.wait(scope), effect: () => barrier.statistics() };
  },
  // It has the lock again however it ends, so what it does with that is no effect.
  "wait() of a condition": () => {
    const condition = new Condition();
    const run = async (scope?: Cancellable) => {
      condition.acquireNowait(scope);
      try {
        await condition.wait(scope);
      } finally {
        condition.release(scope);
      }
    };
    return { run, effect: () => condition.statistics().tasksWaiting };
  },
  "send() to a broadcast that a subscriber holds up": () => {
    const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
    const subscription = broadcast.subscribe();
    broadcast.sendNowait(0);
    return { run: (scope) => broadcast.send(1, scope), effect: () => broadcast.statistics(), complete: () => subscription.receiveNowait() };
  },
  "receive() of a broadcast": () => {
    const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
    const subscription = broadcast.subscribe();
    return {
      run: (scope) => subscription.receive(scope),
      effect: () => subscription.statistics(),
      complete: () => broadcast.sendNowait(1),
    };
  },
  "join() of a task that goes on": (root) => {
    const task = root.startSoon(sleepForever, { background: true });
    return { run: (scope) => task.join(scope), effect: NONE };
  },
  "send() that nobody receives": () => {
    const channel = openMemoryChannel<number>(0);
    const complete = () => channel.receive.receiveNowait();
    return { run: (scope) => channel.send.send(1, scope), effect: ofChannels(channel), complete };
  },
  "send() to a full channel": () => {
    const channel = openMemoryChannel<number>(1);
    channel.send.sendNowait(0);
    const complete = () => channel.receive.receiveNowait();
    return { run: (scope) => channel.send.send(1, scope), effect: ofChannels(channel), complete };
  },
  "receive() of an empty channel": () => {
    const channel = openMemoryChannel<number>(1);
    return { run: (scope) => channel.receive.receive(scope), effect: ofChannels(channel), complete: () => channel.send.sendNowait(1) };
  },
  "next() of an empty channel": () => {
    const channel = openMemoryChannel<number>(1);
    return {
      run: (scope) => channel.receive.values(iterating(scope)).next(),
      effect: ofChannels(channel),
      complete: () => channel.send.sendNowait(1),
    };
  },
  "select() of a receive": () => {
    const channel = openMemoryChannel<number>(1);
    return {
      run: (scope) => select({ item: channel.receive }, scope),
      effect: ofChannels(channel),
      complete: () => channel.send.sendNowait(1),
    };
  },
  "select() of a receive or the end": () => {
    const channel = openMemoryChannel<number>(1);
    return {
      run: (scope) => select({ item: channel.receive.orEnd }, scope),
      effect: ofChannels(channel),
      complete: () => channel.send.sendNowait(1),
    };
  },
  "select() of a send": () => {
    const channel = openMemoryChannel<number>(0);
    const complete = () => channel.receive.receiveNowait();
    return { run: (scope) => select({ sent: channel.send.sending(1) }, scope), effect: ofChannels(channel), complete };
  },
  "select() of an event": () => {
    const event = new Event();
    return { run: (scope) => select({ event }, scope), effect: () => event.statistics().tasksWaiting, complete: () => event.set() };
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
    return { run, effect: () => [ofChannels(channel)(), event.statistics().tasksWaiting], complete: () => event.set() };
  },
  "selectFair()": () => {
    const [channel, other] = [openMemoryChannel<number>(0), openMemoryChannel<number>(0)];
    const run = (scope?: Cancellable) => selectFair({ item: channel.receive, sent: other.send.sending(1) }, scope);
    return { run, effect: ofChannels(channel, other), complete: () => channel.send.sendNowait(1) };
  },
  "park()": () => {
    const waiting = new Set<Parked<void>>();
    const start = (parked: Parked<void>) => {
      waiting.add(parked);
      return () => waiting.delete(parked);
    };
    const complete = () => {
      for (const parked of waiting) parked.wake();
    };
    return { run: (scope) => park(start, undefined, scope), effect: () => waiting.size, complete };
  },
  'cancellable() with settle: "now"': () => {
    let [calls, end] = [0, () => {}];
    const start = () => {
      calls++;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    const options = { onCancel: () => void calls--, settle: "now" } as const;
    return { run: (scope) => cancellable(start, options, scope), effect: () => calls, complete: () => end() };
  },
  "cancellable() of what takes the signal": () => {
    let [going, end] = [0, () => {}];
    const start = (signal: AbortSignal) => {
      going++;
      return new Promise<void>((resolve, reject) => {
        end = resolve;
        const onAbort = () => {
          going--;
          reject(signal.reason);
        };
        signal.addEventListener("abort", onAbort, { once: true });
      });
    };
    return { run: (scope) => cancellable(start, undefined, scope), effect: () => going, complete: () => end() };
  },
  "fromCallback()": () => {
    let [calls, end] = [0, () => {}];
    const start = (done: () => void) => {
      calls++;
      end = done;
      return () => void calls--;
    };
    return {
      run: (scope) => fromCallback<void>(({ resolve }) => start(resolve), undefined, scope),
      effect: () => calls,
      complete: () => end(),
    };
  },
  "abandonOnCancel()": () => {
    let end = () => {};
    const run = (scope?: Cancellable) => {
      const promise = new Promise<void>((resolve) => {
        end = resolve;
      });
      return abandonOnCancel(promise, undefined, scope);
    };
    return { run, effect: NONE, complete: () => end() };
  },
  "fromEvent()": () => {
    const emitter = new EventEmitter();
    return {
      run: (scope) => fromEvent(emitter, "data", undefined, scope),
      effect: listenersOf(emitter),
      complete: () => emitter.emit("data"),
    };
  },
  "receive() of an event": (root) => {
    const emitter = new EventEmitter();
    const events = fromEvents(emitter, "data", undefined, root);
    return { run: (scope) => events.receive(scope), effect: () => events._receivers.size, complete: () => emitter.emit("data") };
  },
  "select() of events": (root) => {
    const emitter = new EventEmitter();
    const events = fromEvents(emitter, "data", undefined, root);
    const run = (scope?: Cancellable) => select({ event: events, never: new Event() }, scope);
    return { run, effect: () => events._receivers.size, complete: () => emitter.emit("data") };
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
