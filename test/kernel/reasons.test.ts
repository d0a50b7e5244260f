import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, checkpoint, Event, moveOnAfter, Nursery, openNursery, run, sleep, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf } from "./support.js";

/** What a body that waits for ever in `scope` is cancelled with. */
async function reasonIn(scope: CancelScope, during: () => unknown): Promise<Cancelled> {
  let reason: unknown;
  await scope.run(async () => {
    const waiting = sleepForever().catch((error) => {
      reason = error;
    });
    during();
    await waiting;
  });
  if (reason instanceof Cancelled) return reason;
  throw new Error("was not cancelled");
}

describe("CR1, CR2: a Cancelled says why:", () => {
  test('"cancel", with what was passed to cancel() as its cause, and the call as its site', async () => {
    await simulate(async () => {
      const scope = new CancelScope({ name: "upload" });
      const reason = await reasonIn(scope, () => scope.cancel("not needed any more"));
      expect(reason).toMatchObject({ kind: "cancel", scope: "root > upload", cause: "not needed any more" });
      expect(reason.message).toBe('cancelled: cancel() was called on root > upload: "not needed any more"');
      expect(reason.site).toContain("reasons.test.ts");
    });
  });

  test('"cancel" without a cause, if cancel() was passed none', async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const reason = await reasonIn(scope, () => scope.cancel());
      expect(reason.cause).toBe(undefined);
      expect(reason.message).toBe("cancelled: cancel() was called on root > scope");
    });
  });

  test('"deadline", without a cause and a site', async () => {
    await simulate(async () => {
      const reason = await reasonIn(new CancelScope({ timeout: 5, name: "slow" }), () => {});
      expect(reason).toMatchObject({ kind: "deadline", scope: "root > slow", cause: undefined, site: undefined });
      expect(reason.message).toBe("cancelled: the deadline of root > slow passed");
    });
  });

  test('"signal", with the reason of the foreign signal as its cause', async () => {
    const controller = new AbortController();
    const cause = new Error("the user left");
    const promise = simulate(
      async () => {
        controller.abort(cause);
        await checkpoint();
      },
      { signal: controller.signal },
    );
    const reason = await rejectionAs(Cancelled, promise);
    expect(reason).toMatchObject({ kind: "signal", scope: "signal", site: undefined });
    expect(reason.cause).toBe(cause);
    expect(reason.message).toBe("cancelled: the signal given to signal was aborted: Error: the user left");
  });

  test('"shutdown", for a background task of which nothing else is left', async () => {
    let reason: unknown;
    await simulate((nursery) => {
      nursery.startSoon(
        () =>
          sleepForever().catch((error) => {
            reason = error;
          }),
        { background: true, name: "ticker" },
      );
    });
    expect(reason).toMatchObject({ kind: "shutdown", scope: "root > ticker", cause: "nothing else is left in its nursery" });
    expect((reason as Cancelled).message).toBe('cancelled: what root > ticker belongs to has ended: "nothing else is left in its nursery"');
  });

  test('"shutdown", for what nobody awaited in a scope that is left', async () => {
    let reason: unknown;
    await simulate(async () => {
      await new CancelScope({ name: "left" }).run(() => {
        void sleepForever().catch((error) => {
          reason = error;
        });
      });
    });
    expect(reason).toMatchObject({ kind: "shutdown", scope: "root > left" });
    expect((reason as Cancelled).cause).toHaveProperty(
      "message",
      "the scope root > left was left while something went on in it that nobody awaited",
    );
  });

  test('"shutdown", for an open nursery whose block was left', async () => {
    let reason: unknown;
    await simulate(async () => {
      const nursery = Nursery.open({ name: "open" });
      nursery.startSoon(() =>
        sleepForever().catch((error) => {
          reason = error;
        }),
      );
      await sleep(1);
      await nursery[Symbol.asyncDispose]();
    });
    expect(reason).toMatchObject({ kind: "shutdown", cause: "its block was left without `await nursery.join()`" });
  });
});

describe("CR3: a failure cancels its nursery with", () => {
  /** What a sibling, and one that is started later, are cancelled with when `fail` has failed. */
  async function reasonsBeside(fail: (nursery: Nursery) => unknown): Promise<unknown[]> {
    const reasons: unknown[] = [];
    const note = (error: unknown) => void reasons.push(error);
    await simulate(() =>
      openNursery(
        async (nursery) => {
          nursery.startSoon(() => sleepForever().catch(note));
          await sleep(1);
          nursery.startSoon(async () => {
            await sleepForever().catch(note);
            nursery.startSoon(() => checkpoint().catch(note));
          });
          await fail(nursery);
        },
        { name: "crew" },
      ).catch(() => {}),
    );
    return reasons;
  }
  const error = new Error("boom");

  for (const [who, fail] of [
    [
      "a task",
      async (nursery: Nursery) => {
        nursery.startSoon(async () => Promise.reject(error));
        await sleepForever();
      },
    ],
    ["its body", () => Promise.reject(error)],
    [
      "a task of a nursery in it",
      () =>
        openNursery((inner) => {
          inner.startSoon(() => Promise.reject(error));
        }),
    ],
  ] as const) {
    test(`the error of ${who} as the cause, also for tasks that are started later`, async () => {
      const reasons = await reasonsBeside(fail);
      expect(reasons).toHaveLength(3);
      for (const reason of reasons) expect(reason).toBe(reasons[0]);
      expect(reasons[0]).toMatchObject({ kind: "failure", scope: "root > crew", site: undefined });
      expect((reasons[0] as Cancelled).cause).toBe(error);
      expect((reasons[0] as Cancelled).message).toBe("cancelled: something in root > crew failed: Error: boom");
    });
  }

  test("the failure that came first", async () => {
    const reasons = await reasonsBeside(async (nursery) => {
      for (const message of ["first", "second"]) nursery.startSoon(() => Promise.reject(new Error(message)));
      await sleepForever();
    });
    expect((reasons[0] as Cancelled).cause).toHaveProperty("message", "first");
  });

  test("undefined as the cause, if that was thrown (R15)", async () => {
    const reasons = await reasonsBeside(() => Promise.reject(undefined));
    expect(reasons[0]).toMatchObject({ kind: "failure", cause: undefined });
  });
});

describe("CR4: the first cause stays", () => {
  test("whatever comes later", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      const reason = await reasonIn(scope, () => {
        scope.cancel("first");
        scope.cancel("second");
        scope.deadline = -1;
      });
      expect(reason.cause).toBe("first");
      expect(reasonOf(scope)).toBe(reason);
    });
  });

  test("a deadline, too", async () => {
    await simulate(async () => {
      const scope = new CancelScope({ timeout: 5 });
      await scope.run(async () => {
        await sleepForever().catch(() => {});
        scope.cancel("late");
        await sleepForever();
      });
      expect(reasonOf(scope).kind).toBe("deadline");
    });
  });

  test("of several nurseries in one another, each has that of its own", async () => {
    await simulate(async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      await outer.run(() =>
        inner.run(async () => {
          inner.cancel("inner");
          outer.cancel("outer");
        }),
      );
      expect([reasonOf(inner).cause, reasonOf(outer).cause]).toEqual(["inner", "outer"]);
    });
  });
});

describe("CR5: a scope that is cancelled from outside", () => {
  test("has the very reason of the scope outside", async () => {
    await simulate(() =>
      new CancelScope({ name: "outer" }).run((outer) =>
        new CancelScope().run(async (inner) => {
          outer.cancel();
          expect(reasonOf(inner)).toBe(reasonOf(outer));
          expect(inner.cancelCalled).toBe(false);
        }),
      ),
    );
  });

  test("keeps it, whatever it is cancelled with later", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        new CancelScope().run(async (inner) => {
          outer.cancel("outside");
          inner.cancel("inside");
          expect(reasonOf(inner).cause).toBe("outside");
          expect(inner.cancelCalled).toBe(true);
        }),
      ),
    );
  });

  test("also if it is entered after that", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        outer.cancel();
        const late = new CancelScope();
        await late.run(() => expect(reasonOf(late)).toBe(reasonOf(outer))).catch(() => {});
      }),
    );
  });
});

describe("CR6: one object per cancel,", () => {
  test("shared by all who wait, all scopes inside, and their signals", async () => {
    const seen = new Set<unknown>();
    await simulate(() =>
      openNursery(async (nursery) => {
        const event = new Event();
        for (let i = 0; i < 5; i++) {
          nursery.startSoon((task) =>
            moveOnAfter(1_000, async (scope) => {
              await event.wait().catch((error) => seen.add(error));
              seen.add(scope.signal.reason).add(task.signal.reason);
            }),
          );
        }
        await sleep(1);
        nursery.cancel();
        seen.add(nursery.signal.reason);
      }),
    );
    expect(seen.size).toBe(1);
  });

  test("which is what a run rejects with when its signal is aborted", async () => {
    const controller = new AbortController();
    let seen: unknown;
    const promise = run(
      async (nursery) => {
        controller.abort();
        seen = nursery.signal.reason;
        await checkpoint();
      },
      { signal: controller.signal },
    );
    expect(await rejectionOf(promise)).toBe(seen);
  });
});

describe("CR8: the text of a reason costs one line, however deep the causes are", () => {
  test("a failure that passes 200 nurseries is told by each in a short line", async () => {
    const error = new Error(`boom ${"x".repeat(1_000)}`);
    const messages: string[] = [];
    const descend = (depth: number): Promise<unknown> =>
      openNursery((nursery) => {
        nursery.signal.addEventListener("abort", () => messages.push((nursery.signal.reason as Cancelled).message));
        return depth === 0 ? Promise.reject(error) : descend(depth - 1);
      });
    await rejectionOf(simulate(() => descend(200)));
    expect(messages).toHaveLength(201);
    for (const message of messages) expect(message.length).toBeLessThan(400);
  });
});
