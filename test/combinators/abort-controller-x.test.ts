import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import {
  abandonOnCancel,
  all,
  Cancelled,
  CancelScope,
  failAfter,
  fromCallback,
  fromEvent,
  hedge,
  isCancellation,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  race,
  retry,
  run,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  toPromise,
  UsageError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/**
 * Each documented function of abort-controller-x, as one would write it with creche. There, functions take a signal; here they take a scope, which has one, or
 * find the ambient one. What is different is told by the tests, and in docs/combinators.md.
 */

/** A function that can be cancelled, and tells when it ended. */
function worker(log: string[], name: string, ms: number, cleanup = 0): () => Promise<string> {
  return async () => {
    try {
      await sleep(ms);
      log.push(`${name} done`);
      return name;
    } catch (error) {
      await shield(() => sleep(cleanup));
      log.push(`${name} cancelled at ${now()}`);
      throw error;
    }
  };
}

function abortAt(ms: number, nursery: Nursery): AbortController {
  const controller = new AbortController();
  nursery.startSoon(async () => {
    await sleep(ms);
    controller.abort();
  });
  return controller;
}

describe("all", () => {
  test("fulfils with all results", async () => {
    await simulate(async () => {
      expect(await all([worker([], "a", 20), worker([], "b", 10)])).toEqual(["a", "b"]);
    });
  });

  test("a rejection aborts the others, and it rejects with it when they have ended", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const fails = async () => {
        await sleep(10);
        throw "broken";
      };
      expect(await rejectionOf(all([worker(log, "a", 50, 5), fails]))).toBe("broken");
      expect(log).toEqual(["a cancelled at 15"]);
    });
  });

  test("when the signal is aborted, it rejects with an AbortError when all have ended", async () => {
    await simulate(async (nursery) => {
      const log: string[] = [];
      const { signal } = abortAt(10, nursery);
      const error = await rejectionAs(Cancelled, all([worker(log, "a", 50), worker(log, "b", 50, 5)], { signal }));
      expect([error.name, error.cause]).toEqual(["AbortError", signal.reason]);
      expect(log).toEqual(["a cancelled at 10", "b cancelled at 15"]);
    });
  });
});

describe("race", () => {
  test("settles as the first does, and aborts the others", async () => {
    await simulate(async () => {
      const log: string[] = [];
      expect(await race([worker(log, "a", 50, 5), worker(log, "b", 10)])).toBe("b");
      expect(log).toEqual(["b done", "a cancelled at 15"]);
      const fails = async () => {
        throw "broken";
      };
      expect(await rejectionOf(race([worker(log, "a", 50), fails]))).toBe("broken");
    });
  });

  test("when the signal is aborted, it rejects with an AbortError", async () => {
    await simulate(async (nursery) => {
      const error = await rejectionOf(race([sleepForever, sleepForever], abortAt(10, nursery)));
      expect(error).toMatchObject({ name: "AbortError" });
    });
  });

  test("different: of none it is an error, and does not wait for ever", async () => {
    await simulate(async () => {
      expect(await rejectionOf(race([]))).toBeInstanceOf(UsageError);
    });
  });

  test("the timeout of its docs is a function here", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(10, worker([], "a", 50))).toBe(undefined);
      expect(await rejectionOf(failAfter(10, worker([], "a", 50)))).toMatchObject({ name: "TimeoutError" });
    });
  });
});

describe("delay", () => {
  test("waits so many milliseconds, or until an instant, and rejects with an AbortError once it is aborted", async () => {
    await simulate(async (nursery) => {
      await sleep(20);
      expect(now()).toBe(20);
      await sleepUntil(50);
      expect(now()).toBe(50);
      expect(await rejectionOf(sleep(1_000, abortAt(5, nursery)))).toMatchObject({ name: "AbortError" });
      expect(now()).toBe(55);
    });
  });
});

describe("forever", () => {
  test("only ever rejects, with an AbortError", async () => {
    await simulate(async (nursery) => {
      expect(await rejectionOf(sleepForever(abortAt(5, nursery)))).toMatchObject({ name: "AbortError" });
    });
  });
});

describe("waitForEvent", () => {
  test("fulfils with the event, of an EventTarget and of an emitter", async () => {
    await simulate(async (nursery) => {
      const target = new EventTarget();
      const event = new globalThis.Event("open");
      const emitter = new EventEmitter();
      nursery.startSoon(async () => {
        await sleep(5);
        target.dispatchEvent(event);
        await sleep(5);
        emitter.emit("data", 1, 2);
      });
      expect(await fromEvent(target, "open")).toBe(event);
      expect(await fromEvent(emitter, "data")).toEqual([1, 2]);
    });
  });

  test("rejects with an AbortError once it is aborted, and listens no more", async () => {
    await simulate(async (nursery) => {
      const emitter = new EventEmitter();
      const error = await rejectionOf(fromEvent(emitter, "data", undefined, abortAt(5, nursery)));
      expect(error).toMatchObject({ name: "AbortError" });
      expect(emitter.eventNames()).toEqual([]);
    });
  });

  test("the race of its docs, of a connection that opens or closes, is one call", async () => {
    await simulate(async (nursery) => {
      const socket = new EventEmitter();
      nursery.startSoon(async () => {
        await sleep(5);
        socket.emit("close", new Error("refused"));
      });
      expect(await rejectionOf(fromEvent(socket, "open", { failOn: ["close", "error"] }))).toMatchObject({ message: "refused" });
    });
  });
});

describe("spawn", () => {
  test("fork, join and abort are startSoon, join and cancel; defer is defer, the last first", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const result = await openNursery(async (nursery) => {
        nursery.defer(async () => {
          await sleep(1);
          log.push("deferred first");
        });
        nursery.defer(() => void log.push("deferred last"));
        const fork = nursery.startSoon(worker(log, "fork", 10));
        const aborted = nursery.startSoon(worker(log, "aborted", 1_000));
        await sleep(5);
        aborted.cancel();
        return await fork.join();
      });
      expect(result).toBe("fork");
      expect(log).toEqual(["aborted cancelled at 5", "fork done", "deferred last", "deferred first"]);
    });
  });

  test("a fork that fails aborts the function and the other forks, and is what it rejects with", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const spawned = openNursery(async (nursery) => {
        nursery.defer(() => void log.push("deferred"));
        nursery.startSoon(worker(log, "fork", 1_000));
        nursery.startSoon(async () => {
          await sleep(10);
          throw "broken";
        });
        await worker(log, "body", 1_000)();
      });
      expect(await rejectionOf(spawned)).toBe("broken");
      expect(log.slice(0, 2).sort()).toEqual(["body cancelled at 10", "fork cancelled at 10"]);
      expect(log.slice(2)).toEqual(["deferred"]);
    });
  });

  test("different: the end of the function aborts background tasks; of others it waits for the end", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await openNursery(async (nursery) => {
        nursery.startSoon(worker(log, "heartbeat", 1_000), { background: true });
        nursery.startSoon(worker(log, "task", 20));
      });
      expect(log).toEqual(["task done", "heartbeat cancelled at 20"]);
    });
  });

  test("different: no error replaces another, nor does one of a deferred function", async () => {
    await simulate(async () => {
      const spawned = openNursery((nursery) => {
        nursery.defer(() => Promise.reject("cleanup"));
        nursery.startSoon(() => Promise.reject("first"));
        nursery.startSoon(() => Promise.reject("second"));
      });
      expect(await rejectionOf(spawned)).toMatchObject({ errors: ["first", "second", "cleanup"] });
    });
  });

  test("different: an abort that is not ours is a failure, and is not swallowed", async () => {
    await simulate(async () => {
      const foreign = new DOMException("a timeout of its own", "AbortError");
      expect(await rejectionOf(openNursery((nursery) => void nursery.startSoon(() => Promise.reject(foreign))))).toBe(foreign);
    });
  });
});

describe("retry", () => {
  const flaky = (successAt: number, seen: unknown[] = []) => {
    return async (_scope: CancelScope, attempt: number) => {
      seen.push([attempt, now()]);
      if (attempt < successAt) throw `broken ${attempt}`;
      return "done";
    };
  };

  test("waits baseMs, twice that, and so on, up to maxDelayMs; attempts are counted from 1 here", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      expect(await retry(flaky(5, seen), { delay: 1_000, maxDelay: 3_000, jitter: 0 })).toBe("done");
      expect(seen).toEqual([
        [1, 0],
        [2, 1_000],
        [3, 3_000],
        [4, 6_000],
        [5, 9_000],
      ]);
    });
  });

  test("different: attempts are those that are made, 5 by default", async () => {
    await simulate(async () => {
      for (const [options, attempts] of [[undefined, 5] as const, [{ attempts: 2 }, 2] as const]) {
        const seen: unknown[] = [];
        expect(await rejectionOf(retry(flaky(100, seen), options))).toBe(`broken ${attempts}`);
        expect(seen).toHaveLength(attempts);
      }
      expect(await retry(flaky(9), { attempts: Number.POSITIVE_INFINITY })).toBe("done");
    });
  });

  test("what onError does by throwing, retryable does by returning false; reset is a delay of one's own", async () => {
    await simulate(async () => {
      const asked: unknown[] = [];
      const retryable = (error: unknown, attempt: number) => {
        asked.push([error, attempt]);
        return attempt < 2;
      };
      expect(await rejectionOf(retry(flaky(9), { retryable, delay: 0 }))).toBe("broken 2");
      expect(asked).toEqual([
        ["broken 1", 1],
        ["broken 2", 2],
      ]);

      let failuresInARow = 0;
      const at: number[] = [];
      const connection = async (_scope: CancelScope, attempt: number) => {
        at.push(now());
        if (attempt === 3) failuresInARow = 0; // it was connected for a while
        if (attempt === 5) return;
        failuresInARow++;
        throw "lost";
      };
      const start = now();
      await retry(connection, { delay: () => (failuresInARow === 1 ? 0 : 1_000) });
      expect(at.map((ms) => ms - start)).toEqual([0, 0, 1_000, 1_000, 2_000]);
    });
  });

  test("is aborted while it waits, at once", async () => {
    await simulate(async (nursery) => {
      const error = await rejectionOf(retry(flaky(9), { delay: 10_000, jitter: 0, signal: abortAt(5, nursery).signal }));
      expect(error).toMatchObject({ name: "AbortError" });
      expect(now()).toBe(5);
    });
  });

  test("proactiveRetry is hedge: the next attempt begins before the last has failed", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const attempts = [worker(log, "slow", 1_000), worker(log, "quick", 10)];
      expect(await hedge((_scope, attempt) => (attempts[attempt - 1] as () => Promise<string>)(), { delay: 100 })).toBe("quick");
      expect(log).toEqual(["quick done", "slow cancelled at 110"]);
    });
  });
});

describe("execute", () => {
  test("is a promise with a function that aborts it, which may take its time", async () => {
    await run(async () => {
      expect(await fromCallback<number>((done) => done.resolve(5))).toBe(5);
      expect(await rejectionOf(fromCallback((done) => done.reject("broken")))).toBe("broken");
      const controller = new AbortController();
      const log: string[] = [];
      const close = async () => {
        log.push("closing");
        await new Promise((resolve) => setTimeout(resolve, 1));
        log.push("closed");
      };
      const waiting = rejectionOf(fromCallback(() => close, undefined, controller));
      controller.abort();
      log.push("aborted");
      expect(await waiting).toMatchObject({ name: "AbortError" });
      expect(log).toEqual(["closing", "aborted", "closed"]);
    });
  });
});

describe("abortable", () => {
  test("stops waiting for a promise once it is aborted; what that stands for goes on, and is counted", async () => {
    await simulate(async (nursery) => {
      expect(await abandonOnCancel(Promise.resolve(5))).toBe(5);
      let late: (value: string) => void = () => {};
      const never = new Promise<string>((resolve) => {
        late = resolve;
      });
      const scope = new CancelScope({ timeout: 10 });
      const received: string[] = [];
      await scope.run(() => abandonOnCancel(never, { onLate: (value) => received.push(value) }));
      expect([scope.cancelledCaught, nursery.abandoned]).toEqual([true, 1]);
      late("late");
      await sleep(1);
      expect([received, nursery.abandoned]).toEqual([["late"], 0]);
    });
  });
});

describe("run", () => {
  /** Starts it, and returns what aborts it and waits for its end. */
  function start(body: (nursery: Nursery) => Promise<void>): () => Promise<void> {
    const controller = new AbortController();
    const ended = toPromise(body, { signal: controller.signal }).catch((error) => {
      if (error !== controller.signal.reason) throw error;
    });
    return () => {
      controller.abort();
      return ended;
    };
  }

  test("returns a function that aborts, and waits until the cleanup is done", async () => {
    const log: string[] = [];
    const stop = start(async () => {
      try {
        log.push("begun");
        await sleepForever();
      } finally {
        await shield(() => sleep(1));
        log.push("cleaned up");
      }
    });
    await stop();
    expect(log).toEqual(["begun", "cleaned up"]);
    expect(await rejectionOf(start(() => Promise.reject("broken"))())).toBe("broken");
  });
});

describe("AbortError, isAbortError, throwIfAborted, rethrowAbortError and catchAbortError", () => {
  test("are Cancelled, isCancellation, throwIfCancelled, a line in a catch, and what a scope does", async () => {
    await simulate(async () => {
      const seen: unknown[] = [];
      const scope = new CancelScope();
      await scope.run(async () => {
        expect(scope.throwIfCancelled()).toBe(undefined);
        scope.cancel();
        try {
          scope.throwIfCancelled();
        } catch (error) {
          seen.push(error instanceof Cancelled, isCancellation(error), isCancellation(new Error("no")));
          throw error;
        }
      });
      expect(seen).toEqual([true, true, false]);
      expect(scope.cancelledCaught).toBe(true);
    });
  });
});
