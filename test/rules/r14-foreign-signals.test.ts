import { expect, test } from "vitest";
import { Cancelled, CancelScope, checkpoint, openNursery, run, Semaphore, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

/** Opens a nursery under each signal, all at once, waits in each, and calls `act` then. */
async function under(signals: readonly AbortSignal[], act: (scopes: readonly CancelScope[]) => void): Promise<readonly unknown[]> {
  const scopes: CancelScope[] = [];
  const ended = signals.map((signal) =>
    openNursery(
      (nursery) => {
        scopes.push(nursery);
        return sleepForever(nursery);
      },
      { signal },
    ).catch((error: unknown) => error),
  );
  act(scopes);
  return Promise.all(ended);
}

function isCancelled(scope: CancelScope): boolean {
  return scope.effectiveDeadline === Number.NEGATIVE_INFINITY;
}

test("a listener of one of the scopes under a foreign signal finds all of them cancelled", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen: boolean[][] = [];
  const ended = await simulate(() =>
    under([signal, signal, signal], (scopes) => {
      for (const scope of scopes) scope.signal.addEventListener("abort", () => seen.push(scopes.map(isCancelled)));
      controller.abort("enough");
    }),
  );
  expect(seen).toEqual(Array(3).fill([true, true, true]));
  expect(ended).toMatchObject(Array(3).fill({ kind: "signal", cause: "enough" }));
});

test("also if they are of several runs", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const roots: CancelScope[] = [];
  const seen: boolean[][] = [];
  const runs = [1, 2].map(() =>
    run(
      (root) => {
        roots.push(root);
        root.signal.addEventListener("abort", () => seen.push(roots.map(isCancelled)));
        return sleepForever();
      },
      { signal },
    ),
  );
  controller.abort();
  expect(seen).toEqual([
    [true, true],
    [true, true],
  ]);
  for (const running of runs) await expect(running).rejects.toBeInstanceOf(Cancelled);
});

test("what a listener of one gives back is not handed to another one under the same signal", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  await simulate(async () => {
    const semaphore = new Semaphore(0);
    const first = openNursery(
      (nursery) => {
        nursery.signal.addEventListener("abort", () => semaphore.release());
        return sleepForever(nursery);
      },
      { signal },
    ).catch(() => {});
    const second = semaphore.acquire({ signal }).then(
      () => "acquired",
      () => "cancelled",
    );
    await checkpoint();
    controller.abort();
    await first;
    expect([await second, semaphore.value]).toEqual(["cancelled", 1]);
  });
});

test("a listener may abort another foreign signal: all under that are cancelled when it returns, and have been told", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const log: string[] = [];
  const ended = await simulate(() =>
    under([one.signal, one.signal, other.signal, other.signal], (scopes) => {
      scopes.forEach((scope, i) => {
        scope.signal.addEventListener("abort", () => log.push(`${i}: ${scopes.map((scope) => (isCancelled(scope) ? "x" : "-")).join("")}`));
      });
      scopes[0]?.signal.addEventListener("abort", () => {
        log.push("aborts the other");
        other.abort();
        log.push("aborted");
      });
      one.abort();
    }),
  );
  expect(log).toEqual(["0: xx--", "aborts the other", "2: xxxx", "3: xxxx", "aborted", "1: xxxx"]);
  expect(ended.every((error) => error instanceof Cancelled)).toBe(true);
});

test("a reason that aborts another foreign signal when it is looked at leaves none of them untold, and later cancels synchronous", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const log: string[] = [];
  const reason = new Error("unread");
  Object.defineProperty(reason, "message", {
    get() {
      other.abort();
      return "read";
    },
  });
  const ended = await simulate(() =>
    under([one.signal, one.signal, other.signal], (scopes) => {
      scopes.forEach((scope, i) => {
        scope.signal.addEventListener("abort", () => log.push(`${i}: ${scopes.map((scope) => (isCancelled(scope) ? "x" : "-")).join("")}`));
      });
      one.abort(reason);
      expect([...log].sort()).toEqual(["0: xxx", "1: xxx", "2: xxx"]);
      const later = new CancelScope();
      later.signal.addEventListener("abort", () => log.push("later"));
      later.cancel();
      expect(log).toHaveLength(4);
    }),
  );
  expect(ended).toMatchObject([{ message: "cancelled: the signal given to root > signal was aborted: Error: read" }, {}, {}]);
});

test("a listener that throws keeps none of the others from being told", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const log: number[] = [];
  const errors = [new Error("listener 0"), new Error("listener 1")];
  const { uncaught } = await watchProcess(() =>
    simulate(() =>
      under([signal, signal], (scopes) => {
        scopes.forEach((scope, i) => {
          scope.signal.addEventListener("abort", () => {
            log.push(i);
            throw errors[i];
          });
        });
        controller.abort();
      }),
    ),
  );
  expect([log, uncaught]).toEqual([[0, 1], errors]);
});
