import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  ErrorGroup,
  Nursery,
  now,
  openNursery,
  run,
  ScopeEndedError,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

interface Cleanup {
  readonly ms: number;
  readonly fails: boolean;
  readonly isDisposable: boolean;
  readonly isAsync: boolean;
}

const cleanup: fc.Arbitrary<Cleanup> = fc.record({
  ms: fc.integer({ min: 0, max: 5 }),
  fails: fc.boolean(),
  isDisposable: fc.boolean(),
  isAsync: fc.boolean(),
});

type How = "returns" | "fails" | "is cancelled" | "is cancelled outside" | "runs out of time";
const how = fc.constantFrom<How>("returns", "fails", "is cancelled", "is cancelled outside", "runs out of time");

/** A scope of any kind, with a body. */
const KINDS: Record<string, (body: (scope: CancelScope) => Promise<void>) => Promise<unknown>> = {
  scope: (body) => new CancelScope().run(body),
  nursery: (body) => openNursery(body),
  task: (body) => openNursery((nursery) => void nursery.startSoon(body)),
  run: (body) => run(body),
  "open nursery": async (body) => {
    const nursery = Nursery.open();
    await body(nursery).catch((error: unknown) => {
      nursery.startSoon(() => {
        throw error;
      });
    });
    await nursery.join();
  },
};
const kind = fc.constantFrom(...Object.keys(KINDS));

test("cleanups run once each, the last registered first, one after the other, after all else in the scope has ended, shielded, however it ends; what they throw joins the errors", async () => {
  await fc.assert(
    fc.asyncProperty(kind, how, fc.array(cleanup, { maxLength: 6 }), async (kind, how, cleanups) => {
      if (kind === "open nursery" && how !== "returns" && how !== "fails") return;
      const log: string[] = [];
      const errors = cleanups.map((_, i) => new Error(`cleanup ${i}`));
      const broken = new Error("body");
      const outcome = await simulate(async () => {
        const outer = new CancelScope();
        let settled: unknown = "resolved";
        await outer.run(async () => {
          await KINDS[kind]?.(async (scope) => {
            cleanups.forEach(({ ms, fails, isDisposable, isAsync }, i) => {
              const finish = () => {
                log.push(`${i} at ${now()}`);
                if (fails) throw errors[i];
              };
              const clean = isAsync ? async () => sleep(ms).then(finish) : finish;
              if (isDisposable)
                scope.use(isAsync ? { [Symbol.asyncDispose]: async () => void (await clean()) } : { [Symbol.dispose]: clean });
              else scope.defer(clean);
            });
            // Something that nobody awaits, and that only the end of the scope ends.
            void new CancelScope({ shield: true }).run(async (own) => {
              await sleepForever(own).catch(() => {});
              log.push("floating");
            }, scope);
            await sleep(1);
            if (how === "fails") throw broken;
            if (how === "is cancelled") scope.cancel();
            if (how === "is cancelled outside") outer.cancel();
            if (how === "runs out of time") scope.deadline = now();
            await checkpoint();
          }).catch((error: unknown) => {
            settled = error;
          });
        });
        return settled;
      });
      let at = 1;
      const expected = ["floating"];
      const thrown: unknown[] = how === "fails" ? [broken] : [];
      for (let i = cleanups.length - 1; i >= 0; i--) {
        const { ms, fails, isAsync } = cleanups[i] as Cleanup;
        if (isAsync) at += ms;
        expected.push(`${i} at ${at}`);
        if (fails) thrown.push(errors[i]);
      }
      expect(log).toEqual(expected);
      if (thrown.length > 1) {
        expect(outcome).toBeInstanceOf(ErrorGroup);
        expect((outcome as ErrorGroup).errors).toEqual(thrown);
      } else if (thrown.length === 1) expect(outcome).toBe(thrown[0]);
      else if (how === "is cancelled outside") expect((outcome as Error).name).toBe("AbortError");
      else expect(outcome).toBe("resolved");
    }),
    { numRuns: 300 },
  );
});

test("the cleanups of a scope together have its cleanupTimeout, from the first on; then the rest is cancelled at its next checkpoint, and that is an error", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope({ cleanupTimeout: 10, name: "pool" });
    const outcome = await scope
      .run(async () => {
        scope.defer(() => void log.push(`sync at ${now()}`));
        scope.defer(async () => {
          log.push(`third at ${now()}`);
          await sleep(1);
          log.push("third went on");
        });
        scope.defer(() => sleep(6).then(() => log.push(`second at ${now()}`)));
        scope.defer(() => sleep(6).then(() => log.push(`first at ${now()}`)));
        await sleep(100);
      })
      .catch((error: unknown) => error);
    expect(log).toEqual(["first at 106", "third at 110", "sync at 110"]);
    expect(now()).toBe(110);
    const [first] = outcome instanceof ErrorGroup ? outcome.errors : [outcome];
    expect(first).toBeInstanceOf(TimeoutError);
    expect((first as Error).message).toBe("the cleanups of root > pool took longer than its cleanupTimeout of 10 ms");
  });
});

test("cleanupTimeout is inherited from outside, and there is no limit at the root", async () => {
  await simulate(async () => {
    const slow = () =>
      new CancelScope().run((scope) => {
        scope.defer(() => sleep(1_000));
      });
    await slow();
    expect(now()).toBe(1_000);
    await expect(openNursery(slow, { cleanupTimeout: 5 })).rejects.toBeInstanceOf(TimeoutError);
    expect(now()).toBe(1_005);
  });
});

test("a cleanup gets a scope of its own, inside the one it cleans up after, and may use all of the library", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const scope = new CancelScope({ name: "request" });
    await scope.run(async () => {
      scope.defer(async (own) => {
        expect(own).not.toBe(scope);
        expect([own.name, own.shield]).toEqual(["cleanup", true]);
        await openNursery((nursery) => void nursery.startSoon(() => sleep(5).then(() => log.push("task"))));
        await expect(sleep(1, scope)).rejects.toBe(scope.signal.reason);
      });
      scope.cancel();
      await checkpoint();
    });
    expect([log, scope.cancelledCaught]).toEqual([["task"], true]);
  });
});

test("a cleanup that is registered during cleanup runs next", async () => {
  await simulate(async () => {
    const log: string[] = [];
    await new CancelScope().run((scope) => {
      scope.defer(() => void log.push("first"));
      scope.defer(() => {
        log.push("last");
        scope.defer(() => void log.push("late"));
      });
    });
    expect(log).toEqual(["last", "late", "first"]);
  });
});

test("a task that a cleanup spawns into its nursery is awaited before the next cleanup", async () => {
  await simulate(async () => {
    const log: string[] = [];
    await openNursery((nursery) => {
      nursery.defer(() => void log.push("second cleanup"));
      nursery.defer(() => {
        nursery.startSoon(() => sleep(5).then(() => log.push("task")));
        log.push("first cleanup");
      });
    });
    expect(log).toEqual(["first cleanup", "task", "second cleanup"]);
  });
});

test("cleanups of a nursery run after its tasks, those of a task after what is in it, and before a join of it", async () => {
  await simulate(async () => {
    const log: string[] = [];
    await openNursery(async (nursery) => {
      nursery.defer(() => void log.push("nursery"));
      const task = nursery.startSoon(async (task) => {
        task.defer(() => sleep(3).then(() => log.push("task's cleanup")));
        log.push("task");
      });
      await task.join();
      log.push("joined");
    });
    expect(log).toEqual(["task", "task's cleanup", "joined", "nursery"]);
  });
});

test("a scope that is never entered runs no cleanup; defer after the end is refused", async () => {
  const log: string[] = [];
  const scope = new CancelScope();
  scope.defer(() => void log.push("cleanup"));
  await sleep(1, { signal: new AbortController().signal });
  expect(log).toEqual([]);
  await simulate(() => scope.run(() => {}));
  expect(log).toEqual(["cleanup"]);
  expect(() => scope.defer(() => {})).toThrow(ScopeEndedError);
});

test("a cleanup may leave things floating and spawn tasks: the tasks end by themselves, then the rest is ended, whatever was ended before", async () => {
  await simulate(async () => {
    const log: string[] = [];
    const float = (name: string, scope: CancelScope) => {
      sleepForever(scope).catch(() => log.push(`${name} cancelled at ${now()}`));
      Nursery.open(scope).startSoon((task) => sleepForever(task));
    };
    await openNursery((nursery) => {
      nursery.startSoon(() => sleepForever(), { background: true });
      float("first", nursery);
      nursery.defer(() => {
        float("second", nursery);
        nursery.startSoon(() => sleep(5).then(() => log.push(`task ended at ${now()}`)));
      });
    });
    expect(log).toEqual(["first cancelled at 0", "task ended at 5", "second cancelled at 5"]);
  });
});
