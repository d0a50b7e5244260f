import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  Event,
  Lock,
  moveOnAfter,
  now,
  openNursery,
  park,
  run,
  Semaphore,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { Interpreter } from "../support/interpreter.js";
import type { Op } from "../support/program.js";
import { programs } from "../support/programs.js";
import { simulate } from "../support/simulate.js";
import { watchPlatform } from "./r12-platform-watch.js";

const NOTHING = { controllers: 0, added: 0, removed: 0, armed: 0, ticking: 0 };

test("a program that asks for no time and no signal makes no timer, no AbortController and no listener", async () => {
  const ops: readonly Op[] = ["sleep", "drop", "failAfter", "scope", "shield", "deadline", "join", "wait", "section"];
  await fc.assert(
    fc.asyncProperty(programs({ without: ops }), async (program) => {
      for (const go of [run, simulate]) {
        const used = await watchPlatform(() => go(new Interpreter(program).body, { errors: program.errors }).catch(() => 0));
        expect(used).toMatchObject(NOTHING);
      }
    }),
    { numRuns: 200 },
  );
});

test("nor do all those who wait, hold, are cancelled, fail and clean up", async () => {
  const used = await watchPlatform(() =>
    run(async (root) => {
      const [event, lock, semaphore] = [new Event(), new Lock(), new Semaphore(1)];
      root.startSoon(() => event.wait());
      root.startSoon(() => lock.run(() => semaphore.run(() => checkpoint())));
      root.startSoon(() => sleepForever(), { background: true });
      root.startSoon(() => park<void>((parked) => void queueMicrotask(() => parked.wake())));
      const cancelled = new CancelScope({ shield: true });
      await cancelled.run(async (scope) => {
        scope.defer(() => checkpoint());
        scope.cancel();
        await event.wait();
      });
      await openNursery((nursery) => {
        nursery.startSoon(() => event.wait());
        throw new Error("failed");
      }).catch(() => {});
      await root.start<void>((_task, started) => started());
      await root.startSoon(() => 5).join();
      await shield(() => event.set());
    }),
  );
  expect(used).toMatchObject(NOTHING);
});

test("an AbortController is made for each signal that is read, once, and for no other scope", async () => {
  const used = await watchPlatform(() =>
    run(async (root) => {
      for (let i = 0; i < 10; i++) {
        root.startSoon((task) => {
          if (i < 3) return [task.signal, task.signal];
          return task.deadline;
        });
      }
      await moveOnAfter(1e6, ({ signal }) => checkpoint({ signal }));
    }),
  );
  expect(used).toMatchObject({ controllers: 4, added: 0, removed: 0 });
});

test("a foreign signal gets one listener for the time that anything is under it, which is removed", async () => {
  const { signal } = new AbortController();
  const used = await watchPlatform(() =>
    run(
      async () => {
        await checkpoint({ signal });
        await Promise.all([moveOnAfter(1e6, () => checkpoint(), { signal }), openNursery(() => {}, { signal })]);
      },
      { signal },
    ),
  );
  expect(used).toMatchObject({ controllers: 0, added: 1, removed: 1 });
});

test("a foreign signal that was aborted before gets none at all", async () => {
  const used = await watchPlatform(() => run(() => sleepForever(), { signal: AbortSignal.abort() }).catch(() => {}));
  expect(used).toMatchObject(NOTHING);
});

test("however many deadlines and sleepers there are, one timer of the platform is armed at a time", async () => {
  const used = await watchPlatform(() =>
    run((root) => {
      root.deadline = now() + 1e6;
      for (let i = 0; i < 1_000; i++) {
        root.startSoon(() => sleep(1));
        root.startSoon(() => moveOnAfter(1e6 + i, () => checkpoint()));
      }
    }),
  );
  expect(used.armed).toBeLessThan(20);
  expect(used.ticking).toBe(0);
});
