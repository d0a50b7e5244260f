import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  currentEffectiveDeadline,
  Event,
  failAfter,
  isCancellation,
  Lock,
  moveOnAfter,
  Nursery,
  openNursery,
  park,
  run,
  Semaphore,
  shield,
  sleep,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

type Use = (where: Cancellable) => unknown;

/** Everything that may be done under a foreign signal: what ends by itself, what waits, and what is refused. */
const USES: Record<string, Use> = {
  sleep: (where) => sleep(1, where),
  "a long sleep": (where) => sleep(1e6, where),
  "a refused sleep": (where) => sleep(-1, where),
  checkpoint: (where) => checkpoint(where),
  park: (where) => park(() => {}, undefined, where),
  "a refused park": (where) =>
    park(
      () => {
        throw new Error("refused");
      },
      undefined,
      where,
    ),
  "an event": (where) => new Event().wait(where),
  "a semaphore": (where) => new Semaphore(1).run(() => checkpoint(), where),
  "a lock": (where) => new Lock().run(() => checkpoint(), where),
  "a lock, at once": (where) => new Lock().acquireNowait(where),
  "a lock that is not held": (where) => new Lock().release(where),
  "a limiter": (where) => new CapacityLimiter(1).acquire(where),
  "a scope": (where) => new CancelScope().run((scope) => sleep(1, scope), where),
  "a scope that fails": (where) => moveOnAfter(5, () => Promise.reject(new Error("failed")), where),
  "a scope that was entered before": async (where) => {
    const scope = new CancelScope();
    await scope.run(() => {}, where);
    await scope.run(() => {}, where);
  },
  "a timeout": (where) => failAfter(1, (scope) => sleep(1e6, scope), where),
  "a shield": (where) => shield((scope) => sleep(1, scope), where),
  "a nursery": (where) => openNursery((nursery) => void nursery.startSoon((task) => sleep(1, task)), where),
  "a nursery of wrong options": (where) => openNursery(() => {}, { ...where, cleanupTimeout: -1 }),
  "a run": (where) => run((nursery) => sleep(1, nursery), { signal: where.signal }),
  "an open nursery": async (where) => {
    const nursery = Nursery.open(where);
    nursery.startSoon((task) => sleep(1, task));
    await nursery.join();
  },
  "an open nursery that is disposed": async (where) => {
    const nursery = Nursery.open(where);
    nursery.startSoon((task) => sleep(1e6, task));
    await nursery[Symbol.asyncDispose]();
  },
  "an open nursery that fails": async (where) => {
    const nursery = Nursery.open(where);
    nursery.startSoon(() => {
      throw new Error("failed");
    });
    await nursery.join();
  },
  "an open nursery of wrong options": (where) => Nursery.open({ ...where, cleanupTimeout: -1 }),
  "a question": (where) => [isCancellation(new Error("no"), where), currentEffectiveDeadline(where)],
  "a start": (where) => openNursery((nursery) => nursery.start<void>((_task, started) => started(), where), where),
};

/** Does it, and waits until it is over, however. */
async function use(use: Use, signal: AbortSignal): Promise<void> {
  try {
    await use({ signal });
  } catch {
    // What it ends with is told elsewhere.
  }
}

test.each(
  Object.entries(USES),
)("under a foreign signal %s leaves no listener, in a run and without one, and does not hold up the run", async (_, what) => {
  for (const isAborted of [true, false]) {
    const controller = new AbortController();
    const { signal } = controller;
    const { unhandled, uncaught } = await watchProcess(async () => {
      await simulate(async (nursery) => {
        nursery.startSoon(() => sleep(10).then(() => controller.abort()));
        if (isAborted) controller.abort();
        await use(what, signal);
        expect(getEventListeners(signal, "abort")).toEqual([]);
      });
      const { signal: other } = isAborted ? controller : abortSoon();
      await use(what, other);
      expect(getEventListeners(other, "abort")).toEqual([]);
    });
    expect([unhandled, uncaught]).toEqual([[], []]);
  }
});

function abortSoon(): AbortController {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 5);
  return controller;
}

test("an open nursery under a foreign signal, that nobody joins, is ended with the scope around", async () => {
  const { signal } = new AbortController();
  await simulate(() =>
    moveOnAfter(1e6, () => {
      Nursery.open({ signal }).startSoon((task) => sleep(1e9, task));
    }),
  );
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an open nursery is cancelled by its foreign signal, and its listener is there as long as it is", async () => {
  await simulate(async () => {
    const controller = new AbortController();
    const nursery = Nursery.open(controller);
    const task = nursery.startSoon((task) => sleep(1e6, task));
    await sleep(1);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    await expect(nursery.join()).rejects.toMatchObject({ kind: "signal" });
    expect(task.state).toBe("cancelled");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});
