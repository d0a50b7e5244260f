import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Awaitable,
  Cancelled,
  CancelScope,
  Event,
  failAfter,
  moveOnAfter,
  Nursery,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  Task,
  TimeoutError,
} from "../../src/index.js";
import { type SimulateOptions, simulate } from "../support/simulate.js";

type Call = (body: (scope: CancelScope) => Awaitable<unknown>, around: CancelScope) => Promise<unknown>;

/** All that enters a scope in another one that is named: its caller need not be in that. */
const CALLS: Record<string, Call> = {
  "run()": (body, around) => run(body, { signal: around.signal }),
  "run() without an ambient scope": (body, around) => run(body, { signal: around.signal, ambient: false }),
  "openNursery()": (body, around) => openNursery(body, around),
  "a task in openNursery()": (body, around) => openNursery((nursery) => nursery.startSoon(body).join(nursery), around),
  "scope.run()": (body, around) => new CancelScope().run(body, around),
  "moveOnAfter()": (body, around) => moveOnAfter(1e9, body, around),
  "failAfter()": (body, around) => failAfter(1e9, body, around),
  "shield()": (body, around) => shield(body, around),
  "shield() with a timeout": (body, around) => shield(body, { signal: around.signal, timeout: 1e9 }),
  "nursery.start()": (body, around) => openNursery((nursery) => nursery.start(body, { signal: around.signal })),
  "Nursery.open()": (body, around) => {
    const nursery = Nursery.open(around);
    nursery.startSoon(body);
    return nursery.join();
  },
};

/** How the scope around may end before what was entered in it. */
const ENDS: Record<string, (around: CancelScope) => Awaitable<unknown>> = {
  "is left": () => {},
  "is cancelled and left": (around) => around.cancel("enough"),
  "is left at its deadline": (around) => {
    around.deadline = 1;
    return sleepForever();
  },
  fails: () => Promise.reject(new Error("the scope around failed")),
};

async function outcomeOf(promise: Promise<unknown>): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

const cases = Object.entries(CALLS).flatMap(([name, call]) => Object.entries(ENDS).map(([end, endIt]) => ({ name, call, end, endIt })));

/** In a simulation: a caller in a task of its own enters a scope in `around`, and that ends first. What the caller gets. */
function outcomeElsewhere(call: Call, endIt: (around: CancelScope) => Awaitable<unknown>, isSlow: boolean, options: SimulateOptions) {
  return simulate(async (nursery) => {
    const around = new CancelScope({ name: "around" });
    const [isOpen, isEntered] = [new Event(), new Event()];
    nursery.startSoon(async () => {
      const body = async () => {
        isOpen.set();
        await isEntered.wait();
        await endIt(around);
      };
      await around.run(body).catch(() => {});
    });
    await isOpen.wait();
    const body = async (scope: CancelScope) => {
      isEntered.set();
      await sleepForever(scope).finally(() => isSlow && shield((inner) => sleep(5, inner), scope));
    };
    return outcomeOf(call(body, around));
  }, options);
}

test.each(cases)("$name in a scope that $end, awaited from outside, rejects with Cancelled, in any order of things", async ({
  call,
  endIt,
}) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), fc.boolean(), async (picks, isSlow) => {
      let i = 0;
      const pick = (n: number) => (picks[i++ % picks.length] as number) % n;
      expect(await outcomeElsewhere(call, endIt, isSlow, { pick })).toEqual({ error: expect.any(Cancelled) });
    }),
    { numRuns: 30 },
  );
});

test.each(
  Object.entries(CALLS).filter(([name]) => name !== "nursery.start()"),
)("%s in a run that ends first, awaited where there is no scope at all, rejects with Cancelled", async (_, call) => {
  for (const isCancelled of [true, false]) {
    let root: Nursery | undefined;
    let leave: (() => void) | undefined;
    const running = run((nursery) => {
      root = nursery;
      return new Promise<void>((resolve) => {
        leave = resolve;
      });
    });
    const entered = call((scope) => sleepForever(scope), root as Nursery);
    if (isCancelled) root?.cancel("enough");
    leave?.();
    expect(await outcomeOf(entered)).toEqual({ error: expect.any(Cancelled) });
    expect(await outcomeOf(running)).toEqual({ value: undefined });
  }
});

test.each(
  Object.entries(CALLS).filter(([name]) => name !== "run() without an ambient scope" && name !== "nursery.start()"),
)("%s, whose own cancellation came first, is not cancelled by the end of what is around", async (name, call) => {
  const outcome = await outcomeElsewhere(
    (body, around) =>
      call((scope) => {
        const entered = scope instanceof Task ? (scope._parent as CancelScope) : scope;
        entered.cancel();
        return body(entered);
      }, around),
    () => {},
    true,
    {},
  );
  const isError = name.startsWith("failAfter") || name.startsWith("shield");
  if (isError) expect(outcome).toEqual({ error: expect.any(TimeoutError) });
  else expect(outcome).toEqual({ value: undefined });
});
