import { expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  currentScope,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  Nursery,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

/** Runs `body`, and expects that the process is told of nothing. */
async function quietly<T>(body: () => Promise<T>): Promise<T> {
  const { value, unhandled, uncaught } = await watchProcess(body);
  expect([unhandled, uncaught]).toEqual([[], []]);
  return value;
}

/** An async function of the user's that is inside what is left, and awaits something there. */
async function floatAround(what: () => Promise<unknown>): Promise<void> {
  await what();
}

/** How the scope goes in which something floats. */
const LEFT: Record<string, (scope: CancelScope) => unknown> = {
  left: () => {},
  "cancelled and left": (scope) => scope.cancel(),
};

/** What may resolve to `undefined`, or is over by itself. */
const MAY_GIVE_UP: Record<string, (body: () => Promise<unknown>) => Promise<unknown>> = {
  "scope.run()": (body) => new CancelScope().run(body),
  "a shielded scope": (body) => new CancelScope({ shield: true }).run(body),
  "a scope that refuses to end in time": (body) => new CancelScope().run(() => body().finally(() => shield(() => sleep(5)))),
  "moveOnAfter()": (body) => moveOnAfter(1e6, body),
  "moveOnAt()": (body) => moveOnAt(1e6, body),
  "moveOnAfter() under a foreign signal": (body) => moveOnAfter(1e6, body, new AbortController()),
  "moveOnAfter() under two foreign signals": (body) =>
    moveOnAfter(1e6, () => moveOnAfter(1e6, body, new AbortController()), new AbortController()),
  "moveOnAfter() in a scope that it is passed": (body) => moveOnAfter(1e6, body, currentScope()),
  "moveOnAfter() in a scope around": (body) => {
    const around = currentScope();
    return moveOnAfter(1e6, () => moveOnAfter(1e6, body, around));
  },
  "moveOnAfter() in a scope around, from inside one that has ended": async (body) => {
    const around = currentScope();
    let floating: Promise<unknown> | undefined;
    await new CancelScope().run(() => {
      floating = moveOnAfter(1e6, body, around);
    });
    return floating;
  },
  "Nursery.open()": async (body) => {
    Nursery.open().startSoon(body);
  },
};

test.each(
  Object.entries(MAY_GIVE_UP),
)("an async function that floats around %s is told nothing, and so is the process", async (_, float) => {
  for (const leave of Object.values(LEFT)) {
    const log: unknown[] = [];
    await quietly(() =>
      simulate(() =>
        new CancelScope().run(async (scope) => {
          void floatAround(async () => log.push(await float(() => sleepForever())));
          await sleep(1);
          leave(scope);
        }),
      ),
    );
    expect(log).toEqual([undefined]);
  }
});

test("an async function that floats around moveOnAfter(scope), where scopes are passed, is told nothing either", async () => {
  for (const leave of Object.values(LEFT)) {
    await quietly(() =>
      simulate(
        (root) =>
          new CancelScope().run(async (scope) => {
            void floatAround(() => moveOnAfter(1e6, (inner) => sleepForever(inner), scope));
            await sleep(1, scope);
            leave(scope);
          }, root),
        { ambient: false },
      ),
    );
  }
});

/** What promises a value, and so rejects with the cancellation where there is none, whoever awaits it. */
const PROMISING: Record<string, (around: Nursery) => Promise<unknown>> = {
  "sleepForever()": () => sleepForever(),
  "run()": () => run(() => sleepForever()),
  "run() without an ambient scope": () => run((nursery) => sleepForever(nursery), { ambient: false, signal: currentScope().signal }),
  "openNursery()": () => openNursery(() => sleepForever()),
  "a task in openNursery()": () => openNursery((nursery) => void nursery.startSoon(() => sleepForever())),
  "openNursery() under a foreign signal": () => openNursery(() => sleepForever(), new AbortController()),
  "failAfter()": () => failAfter(1e6, () => sleepForever()),
  "failAt()": () => failAt(1e6, () => sleepForever()),
  "shield()": () => shield(() => sleepForever()),
  "shield() with a timeout": () => shield(() => sleepForever(), { timeout: 1e6 }),
  "nursery.start()": (around) => around.start(() => sleepForever()),
  "join() of Nursery.open()": () => {
    const nursery = Nursery.open();
    nursery.startSoon(() => sleepForever());
    return nursery.join();
  },
};

test.each(
  Object.entries(PROMISING),
)("%s that floats rejects with Cancelled: silently, but not for an async function that floats around it", async (_, begin) => {
  for (const leave of Object.values(LEFT)) {
    for (const isAround of [false, true]) {
      let promise: Promise<unknown> | undefined;
      const { unhandled } = await watchProcess(() =>
        simulate(async (around) => {
          await new CancelScope().run(async (scope) => {
            const what = () => {
              promise = begin(around);
              return promise;
            };
            if (isAround) void floatAround(what);
            else void what();
            await sleep(1);
            leave(scope);
          });
          await sleep(1);
        }),
      );
      const reason = await promise?.catch((error: unknown) => error);
      expect(reason).toBeInstanceOf(Cancelled);
      expect(unhandled).toEqual(isAround ? [reason] : []);
    }
  }
});

test("a join() of Nursery.open() that comes after the scope around was left rejects, too: its tasks were cut off", async () => {
  await quietly(() =>
    simulate(async (root) => {
      for (const around of [(body: () => void) => moveOnAfter(1e6, body), (body: () => void) => root.startSoon(body).join()]) {
        let nursery: Nursery | undefined;
        await around(() => {
          nursery = Nursery.open();
          nursery.startSoon(() => sleepForever());
        });
        expect(await nursery?.join().catch((error: unknown) => error)).toMatchObject({ name: "AbortError", kind: "shutdown" });
      }
    }),
  );
});

test("the disposal of Nursery.open() that floats is its own cancellation, and rejects only where another one is around", async () => {
  for (const [how, leave] of Object.entries(LEFT)) {
    const outcome = await quietly(() =>
      simulate(async () => {
        let disposal: Promise<unknown> | undefined;
        await new CancelScope().run(async (scope) => {
          const nursery = Nursery.open();
          nursery.startSoon(() => sleepForever().finally(() => shield(() => sleep(5))));
          await sleep(1);
          disposal = nursery[Symbol.asyncDispose]();
          leave(scope);
        });
        return disposal?.catch((error: unknown) => error);
      }),
    );
    if (how === "left") expect(outcome).toBe(undefined);
    else expect(outcome).toBeInstanceOf(Cancelled);
  }
});
