import { expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  currentEffectiveDeadline,
  currentScope,
  currentTask,
  Event,
  failAfter,
  failAt,
  isCancellation,
  Lock,
  MissingScopeError,
  moveOnAfter,
  moveOnAt,
  Nursery,
  now,
  openNursery,
  park,
  run,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejection, thrown, untyped } from "./r13-refusal.js";

let ended: Task<number> | undefined;

/** Everything that needs a scope: what rejects, and what throws. */
const ASYNC: Record<string, (scope?: Cancellable) => Promise<unknown>> = {
  sleep: (scope) => sleep(0, scope),
  sleepUntil: (scope) => sleepUntil(0, scope),
  sleepForever: (scope) => sleepForever(scope),
  checkpoint: (scope) => checkpoint(scope),
  park: (scope) => park<void>((parked) => void parked.wake(), undefined, scope),
  openNursery: (scope) => openNursery(() => {}, scope),
  moveOnAfter: (scope) => moveOnAfter(1, () => {}, scope),
  moveOnAt: (scope) => moveOnAt(1, () => {}, scope),
  failAfter: (scope) => failAfter(1, () => {}, scope),
  failAt: (scope) => failAt(1e9, () => {}, scope),
  shield: (scope) => shield(() => {}, scope),
  "scope.run": (scope) => new CancelScope().run(() => {}, scope),
  "event.wait": (scope) => new Event().wait(scope),
  "lock.acquire": (scope) => new Lock().acquire(scope),
  "lock.run": (scope) => new Lock().run(() => {}, scope),
  "semaphore.acquire": (scope) => new Semaphore(1).acquire(scope),
  "semaphore.run": (scope) => new Semaphore(1).run(() => {}, scope),
  "limiter.acquire": (scope) => new CapacityLimiter(1).acquire(scope),
  "limiter.run": (scope) => new CapacityLimiter(1).run(() => {}, scope),
  "task.join": (scope) => (ended as Task).join(scope),
};
const SYNC: Record<string, (scope?: Cancellable) => unknown> = {
  currentTask: (scope) => currentTask(scope),
  currentEffectiveDeadline: (scope) => currentEffectiveDeadline(scope),
  "lock.acquireNowait": (scope) => new Lock().acquireNowait(scope),
  "lock.release": (scope) => new Lock().release(scope),
  "limiter.acquireNowait": (scope) => new CapacityLimiter(1).acquireNowait(scope),
  "limiter.release": (scope) => new CapacityLimiter(1).release(scope),
  "Nursery.open": (scope) => Nursery.open(scope),
};

async function makeEnded(): Promise<void> {
  await run(async (nursery) => {
    ended = nursery.startSoon(() => 5);
    await ended.join(nursery);
  });
}

function expectMissing(error: Error): void {
  expect(error).toBeInstanceOf(MissingScopeError);
  expect(error).toBeInstanceOf(UsageError);
  // Both remedies.
  expect(error.message).toMatch(/^there is no scope here, so what this call starts would belong to nobody\./);
  expect(error.message).toMatch(/inside the body of run\(\), or pass a scope \(or \{ signal \}\) as the last argument/);
}

async function expectAllMissing(): Promise<void> {
  for (const call of Object.values(ASYNC)) expectMissing(await rejection(() => call()));
  for (const call of Object.values(ASYNC)) expectMissing(await rejection(() => call({})));
  for (const call of Object.values(ASYNC)) expectMissing(await rejection(() => call({ signal: undefined })));
  for (const call of Object.values(SYNC)) expectMissing(thrown(() => call()));
  expectMissing(thrown(() => currentScope()));
}

test("outside a run", async () => {
  await makeEnded();
  await expectAllMissing();
});

test("after a run", async () => {
  await makeEnded();
  await run(() => {});
  await expectAllMissing();
});

test("in a run without an ambient scope, in its body, its tasks, and its nurseries; and nothing is broken by it", async () => {
  await makeEnded();
  const value = await run(
    async (root) => {
      await expectAllMissing();
      await root.startSoon(() => expectAllMissing()).join(root);
      await openNursery(async (inner) => {
        await expectAllMissing();
        await inner.start<void>(async (_task, started) => {
          await expectAllMissing();
          started();
        }, root);
      }, root);
      await moveOnAfter(1_000, () => expectAllMissing(), root);
      root.defer(() => expectAllMissing());
      return "done";
    },
    { ambient: false },
  );
  expect(value).toBe("done");
});

test("in a run without an ambient scope that is inside one with it: what is ambient outside is not found inside, and outside it still is", async () => {
  await makeEnded();
  await simulate(async (outer) => {
    await run(
      async (inner) => {
        await expectAllMissing();
        await inner.startSoon(() => expectAllMissing()).join(inner);
        await sleep(1, inner);
      },
      { ambient: false },
    );
    expect(currentScope()).toBe(outer);
    await sleep(1);
    expect(now()).toBe(2);
  });
});

test("with a scope as the argument all of them work without an ambient one, however it is passed", async () => {
  await makeEnded();
  await run(
    async (root) => {
      for (const scope of [root, { signal: root.signal }]) {
        for (const [name, call] of Object.entries(ASYNC)) {
          if (["sleepForever", "event.wait"].includes(name)) continue;
          await call(scope);
        }
        currentTask(scope);
        await (SYNC["Nursery.open"]?.(scope) as Nursery).join();
      }
    },
    { ambient: false },
  );
});

test("isCancellation asks nothing of a scope that is not there", () => {
  expect(isCancellation(new DOMException("", "AbortError"))).toBe(false);
});

/** What is no scope, and has no usable signal. */
const WRONG: readonly unknown[] = [
  null,
  5,
  "scope",
  true,
  Symbol("scope"),
  () => {},
  { signal: null },
  { signal: 5 },
  { signal: {} },
  { signal: "x" },
  { signal: { aborted: true } },
];

test("a last argument that is no scope, or whose signal is no AbortSignal, is a TypeError", async () => {
  await makeEnded();
  await simulate(async (root) => {
    const before = [...root.tasks].length;
    for (const wrong of WRONG) {
      for (const [name, call] of Object.entries(ASYNC)) {
        // Options may be left out by null there, where the platform allows it too.
        const error = await rejection(() => call(untyped<Cancellable>(wrong)));
        expect([name, wrong, error.constructor]).toEqual([name, wrong, TypeError]);
      }
      for (const call of Object.values(SYNC)) expect(thrown(() => call(untyped<Cancellable>(wrong)))).toBeInstanceOf(TypeError);
    }
    expect([...root.tasks]).toHaveLength(before);
    await sleep(1);
  });
});

test("the message tells what was passed", async () => {
  await simulate(async () => {
    expect((await rejection(() => sleep(1, untyped<Cancellable>("fast")))).message).toBe(
      'a scope, or an object with a `signal`, is expected as the last argument, not "fast"',
    );
    expect((await rejection(() => sleep(1, { signal: untyped<AbortSignal>(new Map()) }))).message).toBe(
      "`signal` is expected to be an AbortSignal, not a Map",
    );
  });
});

test("under a foreign signal alone there is no task to own anything", async () => {
  const { signal } = new AbortController();
  expect(thrown(() => currentTask({ signal })).message).toMatch(/^there is no task here, only a signal: call it inside run\(\)$/);
  for (const call of [() => new Lock().acquire({ signal }), () => new CapacityLimiter(1).acquire({ signal })]) {
    const error = await rejection(call);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(/belongs to a task, and there is none under a foreign signal alone: use it inside run\(\)$/);
  }
  expect(await moveOnAfter(1_000, () => "works", { signal })).toBe("works");
});
