import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  ErrorGroup,
  MissingScopeError,
  Nursery,
  NurseryClosedError,
  now,
  openNursery,
  run,
  shield,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf, thrownBy } from "./support.js";

const boom = new Error("boom");

describe("Nursery.open() with `await using`", () => {
  test("commit: with join() at the end of its block it waits for its tasks", async () => {
    await simulate(async () => {
      const log: string[] = [];
      {
        await using nursery = Nursery.open();
        nursery.startSoon(() => sleep(5).then(() => log.push("task")));
        await nursery.join();
        log.push("joined");
      }
      expect([log, now()]).toEqual([["task", "joined"], 5]);
    });
  });

  test("no commit: left otherwise, it cancels its tasks and waits for them", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const leaving = (async () => {
        await using nursery = Nursery.open();
        nursery.startSoon(() => sleepForever().finally(() => shield(() => sleep(5)).then(() => log.push("cleaned up"))));
        await sleep(1);
        throw boom;
      })();
      expect(await rejectionOf(leaving)).toBe(boom);
      expect([log, now()]).toEqual([["cleaned up"], 6]);
    });
  });

  test("no commit, and a task that fails meanwhile: both errors are told", async () => {
    await simulate(async () => {
      const other = new Error("other");
      const leaving = (async () => {
        await using nursery = Nursery.open();
        nursery.startSoon(() => sleepForever().catch(() => Promise.reject(other)));
        await sleep(1);
        throw boom;
      })();
      expect(await rejectionOf(leaving)).toMatchObject({ name: "SuppressedError", error: other, suppressed: boom });
    });
  });

  test("left by a return, too", async () => {
    await simulate(async () => {
      const value = await (async () => {
        await using nursery = Nursery.open();
        nursery.startSoon(() => sleepForever());
        return "value";
      })();
      expect(value).toBe("value");
    });
  });
});

describe("join() of an open nursery", () => {
  test("throws what a nursery throws: one failure as it is, several as a group", async () => {
    await simulate(async () => {
      const one = Nursery.open();
      one.startSoon(() => Promise.reject(boom));
      expect(await rejectionOf(one.join())).toBe(boom);
      const two = Nursery.open();
      for (const error of [boom, "other"]) two.startSoon(() => Promise.reject(error));
      expect((await rejectionAs(ErrorGroup, two.join())).errors).toEqual([boom, "other"]);
    });
  });

  test("may be called more than once, and disposal after it tells nothing again", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      nursery.startSoon(() => Promise.reject(boom));
      const [first, second] = [nursery.join(), nursery.join()];
      expect(await rejectionOf(first)).toBe(boom);
      expect(await rejectionOf(second)).toBe(boom);
      await nursery[Symbol.asyncDispose]();
    });
  });

  test("waits for the tasks, whose failure does not cancel the code of the block", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      nursery.startSoon(() => Promise.reject(boom));
      nursery.startSoon(() => sleepForever());
      await sleep(10);
      expect(nursery.cancelCalled).toBe(true);
      expect(await rejectionOf(nursery.join())).toBe(boom);
    });
  });

  test("resolves if its own cancel() was called", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      nursery.startSoon(() => sleepForever());
      await sleep(1);
      nursery.cancel();
      await nursery.join();
      expect(nursery.cancelledCaught).toBe(true);
    });
  });

  test("throws the cancellation that came from outside", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const nursery = Nursery.open();
        nursery.startSoon(() => sleepForever());
        await sleep(1);
        outer.cancel();
        expect(await rejectionOf(nursery.join())).toBe(reasonOf(outer));
      }),
    );
  });

  test("closes it: it takes no more tasks", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      await nursery.join();
      expect(thrownBy(() => nursery.startSoon(() => {}))).toBeInstanceOf(NurseryClosedError);
    });
  });

  test("takes tasks from its tasks until they have all ended", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      nursery.startSoon(() => sleep(5).then(() => void nursery.startSoon(() => sleep(5))));
      await nursery.join();
      expect(now()).toBe(10);
    });
  });

  test("runs the cleanups", async () => {
    await simulate(async () => {
      const nursery = Nursery.open();
      let cleaned = false;
      nursery.defer(() => {
        cleaned = true;
      });
      await nursery.join();
      expect(cleaned).toBe(true);
    });
  });

  test("of a nursery with a body is misuse: that is left at its end", async () => {
    await simulate(() =>
      openNursery(async (nursery) => {
        const message = "join() is for Nursery.open(); root > nursery is left, and its tasks are awaited, at the end of its body";
        expect(await rejectionOf(nursery.join())).toEqual(new UsageError(message));
      }),
    );
  });
});

describe("Nursery.open()", () => {
  test("belongs to the ambient scope, or to the one that it is passed; its name and `errors` are those of any nursery", async () => {
    await simulate(async (root) => {
      const own = Nursery.open({ name: "crew", errors: "group" });
      expect(own.name).toBe("crew");
      own.startSoon(() => Promise.reject(boom));
      expect(await rejectionOf(own.join())).toMatchObject({ errors: [boom], message: "1 error in root > crew (Error: boom)" });
      await new CancelScope().run(async (inner) => {
        const passed = Nursery.open({ signal: root.signal });
        passed.startSoon(() => sleep(5));
        inner.cancel();
        await passed.join();
        expect(now()).toBe(5);
      });
    });
  });

  test("in a scope that is passed as it is has a name of its own", async () => {
    await simulate(() =>
      new CancelScope({ name: "outer" }).run(async (outer) => {
        const nursery = Nursery.open(outer);
        expect(nursery.name).toBe("nursery");
        await nursery.join();
      }),
    );
  });

  test("needs a scope", () => expect(thrownBy(() => Nursery.open())).toBeInstanceOf(MissingScopeError));

  test("in a scope that has ended throws at the call", async () => {
    await simulate(async () => {
      const ended = new CancelScope();
      await ended.run(() => {});
      expect(thrownBy(() => Nursery.open(ended))).toMatchObject({ name: "ScopeEndedError", scope: "root > scope" });
    });
  });

  test("in a cancelled scope takes tasks, which run up to their first checkpoint", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        outer.cancel();
        const nursery = Nursery.open();
        let begun = false;
        nursery.startSoon(async () => {
          begun = true;
          await checkpoint();
        });
        expect(await rejectionOf(nursery.join())).toBe(reasonOf(outer));
        expect(begun).toBe(true);
      }),
    );
  });

  test("under a foreign signal is cancelled with it, and lets go of it at its end", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      const nursery = Nursery.open({ signal: controller.signal });
      nursery.startSoon(() => sleepForever());
      await sleep(1);
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
      controller.abort("enough");
      expect(await rejectionOf(nursery.join())).toMatchObject({ kind: "signal", cause: "enough" });
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    });
  });

  test("R17: under a foreign signal, still open when the scope around both is left, it is cancelled and waited for", async () => {
    const { signal } = new AbortController();
    await simulate(async () => {
      await new CancelScope().run(async () => {
        Nursery.open({ signal }).startSoon(() => sleepForever().finally(() => shield(() => sleep(5))));
        await sleep(1);
      });
      expect(now()).toBe(6);
    });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("R17: still open when the scope around it is left, it is cancelled and waited for", async () => {
    await simulate(async () => {
      let nursery: Nursery | undefined;
      const log: string[] = [];
      await new CancelScope().run(async () => {
        nursery = Nursery.open();
        nursery.startSoon(() => sleepForever().finally(() => shield(() => sleep(5)).then(() => log.push("cleaned up"))));
        await sleep(1);
      });
      expect([log, now(), nursery?.cancelCalled]).toEqual([["cleaned up"], 6, true]);
    });
  });

  test("R17: what fails in it then, and that nobody is left to be told, is reported as an uncaught error", async () => {
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
    try {
      await run(() =>
        new CancelScope().run(async () => {
          const nursery = Nursery.open();
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject(boom)));
          await sleep(1);
        }),
      );
      expect(await uncaught).toBe(boom);
    } finally {
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });
});
