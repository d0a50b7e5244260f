import * as everything from "creche";
import {
  all,
  allSettled,
  type Broadcast,
  type Cancellable,
  type CancelScope,
  type CapacityLimiter,
  type Condition,
  ContextVariable,
  type cancellable,
  type ErrorGroup,
  type Event,
  failAfter,
  type firstSuccess,
  type fromCallback,
  fromEvent,
  type fromEvents,
  type fromReadableStream,
  type generate,
  isCancellation,
  Lock,
  map,
  mapStream,
  type merge,
  moveOnAfter,
  Nursery,
  openMemoryChannel,
  openNursery,
  type park,
  race,
  type retry,
  run,
  select,
  shield,
  sleep,
  timeout,
  toReadableStream,
} from "creche";

// A program of somebody who has installed the package. It is compiled in many settings, and run by Node: it prints what it returns.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_Expected extends true>(): void => {};

const user = new ContextVariable<string>({ name: "user" });

export const told: string = await run(
  async (nursery) => {
    const log: string[] = [];
    const task = nursery.startSoon(async (own) => {
      await sleep(1, own);
      return own.name.length;
    });
    is<Same<Awaited<ReturnType<typeof task.join>>, number>>();

    const [send, receive] = openMemoryChannel<{ readonly id: number }>(1);
    nursery.startSoon(async (own) => {
      using end = send;
      await end.send({ id: 1 }, own);
      await end.send({ id: 2 }, own);
    });
    for await (const item of receive) {
      is<Same<typeof item, { readonly id: number }>>();
      log.push(`item ${item.id}`);
    }

    const pair = await all([async () => 1, async (own) => own.name], nursery);
    is<Same<typeof pair, [number, string]>>();
    const settled = await allSettled([async () => 1], nursery);
    is<Same<(typeof settled)[0], PromiseSettledResult<number>>>();
    const doubled = await map([1, 2, 3], async (n) => n * 2, { concurrency: 2 }, nursery);
    log.push(`doubled ${doubled.join(" ")}`);
    for await (const text of mapStream(doubled, async (n) => `${n}`, { concurrency: 2 }, nursery)) log.push(`streamed ${text}`);
    log.push(await race([(own) => sleep(60_000, own).then(() => "slow"), async () => "fast"], nursery));

    const late = await moveOnAfter(1, (scope) => sleep(60_000, scope).then(() => "value"), nursery);
    is<Same<typeof late, string | undefined>>();
    const error = await failAfter(1, (scope) => sleep(60_000, scope), nursery).catch((reason: unknown) => reason);
    log.push(error instanceof everything.TimeoutError ? "timed out" : "not timed out");

    const [sent, received] = openMemoryChannel<number>(1);
    await sent.send(7, nursery);
    const chosen = await select({ number: received, late: timeout(1_000) }, nursery);
    if (chosen.key === "number") is<Same<typeof chosen.value, number>>();
    log.push(`chosen ${chosen.key}`);

    const bytes = toReadableStream(received, nursery);
    is<Same<typeof bytes, ReadableStream<number>>>();
    await bytes.cancel();

    const lock = new Lock();
    await lock.run(async () => {}, nursery);
    await openNursery(async (inner) => inner.startSoon(async () => "inner").join(inner), nursery);
    {
      await using open = Nursery.open(nursery);
      open.startSoon(async () => {});
      await open.join();
    }
    const target = new EventTarget();
    nursery.startSoon(async () => target.dispatchEvent(new globalThis.Event("ready")));
    await fromEvent(target, "ready", undefined, nursery);
    log.push(await user.run("ada", async (scope: Cancellable) => user.get(scope) ?? "nobody", nursery));
    log.push(await shield(async (scope) => (isCancellation(new Error("not one"), scope) ? "cancelled" : "failed"), nursery));
    log.push(`task ${await task.join(nursery)}`);
    nursery.defer(async () => {});
    return log.join(", ");
  },
  { signal: new AbortController().signal },
);

export type Others = [
  typeof Broadcast<string>,
  typeof CancelScope,
  typeof CapacityLimiter,
  typeof Condition,
  typeof ErrorGroup,
  typeof Event,
  typeof cancellable,
  typeof firstSuccess,
  typeof fromCallback,
  typeof fromEvents,
  typeof fromReadableStream,
  typeof generate,
  typeof merge,
  typeof park,
  typeof retry,
];
