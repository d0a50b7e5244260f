import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  ErrorGroup,
  moveOnAfter,
  type Nursery,
  now,
  openNursery,
  shield,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionAs, rejectionOf } from "./support.js";

const boom = new Error("boom");

const fail = (error: unknown = boom) => Promise.reject(error);

describe("NS1: a nursery ends only when its body and all tasks in it have ended,", () => {
  test("also those that tasks have started, and nurseries in them", async () => {
    const spec = fc.array(fc.record({ ms: fc.nat({ max: 20 }), starts: fc.nat({ max: 3 }), isNested: fc.boolean() }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(spec, fc.nat({ max: 20 }), async (list, bodyMs) => {
        let running = 0;
        let last = 0;
        const work = async (nursery: Nursery, ms: number, starts: number, isNested: boolean): Promise<void> => {
          running++;
          await sleep(ms);
          const start = (inside: Nursery) => {
            for (let i = 0; i < starts; i++) inside.startSoon(() => work(inside, ms, i, !isNested));
          };
          if (isNested) await openNursery(start);
          else start(nursery);
          last = now();
          running--;
        };
        await simulate(async () => {
          await openNursery(async (nursery) => {
            for (const { ms, starts, isNested } of list) nursery.startSoon(() => work(nursery, ms, starts, isNested));
            await sleep(bodyMs);
            last = now();
          });
          expect([running, now()]).toEqual([0, last]);
        });
      }),
    );
  });

  test("also if it fails, and they take their time to clean up", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery((nursery) => {
        nursery.startSoon(async () => {
          await sleepForever().catch(() => shield(() => sleep(50)));
          log.push("cleaned up");
        });
        nursery.startSoon(() => sleep(1).then(() => fail()));
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect([now(), log]).toEqual([51, ["cleaned up"]]);
    });
  });
});

describe("NS2: a failure of a task cancels", () => {
  test("its siblings, and the body, which it wakes", async () => {
    const log: unknown[] = [];
    await simulate(async () => {
      const failing = openNursery(async (nursery) => {
        nursery.startSoon(() => sleepForever().finally(() => log.push("sibling")));
        nursery.startSoon(() => sleep(5).then(() => fail()));
        await sleepForever().finally(() => log.push("body"));
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect([now(), log]).toEqual([5, ["body", "sibling"]]);
    });
  });

  test("nothing outside its nursery", async () => {
    await simulate(async (outer) => {
      outer.startSoon(() => sleep(10));
      await openNursery((nursery) => {
        nursery.startSoon(() => fail());
      }).catch(() => {});
      await sleep(10);
      expect(now()).toBe(10);
    });
  });
});

test("NS3: a failure of the body cancels the tasks in the same way, and joins their failures", async () => {
  await simulate(async () => {
    const other = new Error("other");
    const failing = openNursery(async (nursery) => {
      nursery.startSoon(() => sleepForever().catch(() => fail(other)));
      await sleep(5);
      throw boom;
    });
    const group = await rejectionAs(ErrorGroup, failing);
    expect(group.errors).toEqual([boom, other]);
    expect(now()).toBe(5);
  });
});

test("NS4, EG5: all that fail are told, in the order in which they failed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 50 }), { minLength: 2, maxLength: 8 }), async (times) => {
      // Behind a shield, so that the failure of one does not keep another from its own.
      const errors = times.map((ms, i) => ({ ms, i, error: new Error(`${i}`) }));
      const failing = simulate(() =>
        openNursery((nursery) => {
          for (const { ms, error } of errors) nursery.startSoon(() => shield(() => sleep(ms)).then(() => fail(error)));
        }),
      );
      const { errors: told } = await rejectionAs(ErrorGroup, failing);
      const inOrder = [...errors].sort((x, y) => x.ms - y.ms || x.i - y.i);
      // What takes no time is done a moment earlier than what sleeps.
      expect(told).toEqual(inOrder.map(({ error }) => error));
    }),
  );
});

test("NS5: a body that returns does not cancel: its nursery waits", async () => {
  await simulate(async () => {
    const value = await openNursery((nursery) => {
      nursery.startSoon(() => sleep(10));
      return "value";
    });
    expect([value, now()]).toEqual(["value", 10]);
  });
});

describe("NS6: the end of a nursery", () => {
  test("is no cancel point: in a cancelled scope it resolves to the body's value", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        outer.cancel();
        expect(await openNursery(() => "value")).toBe("value");
      }),
    );
  });

  test("passes on a cancellation only if one of its tasks, or its body, has ended with it", async () => {
    await simulate(() =>
      new CancelScope().run(async (outer) => {
        const calm = openNursery((nursery) => {
          nursery.startSoon(() => sleepForever().catch(() => {}));
          outer.cancel();
          return "value";
        });
        expect(await calm).toBe("value");
        const passing = openNursery((nursery) => {
          nursery.startSoon(() => checkpoint());
          return "value";
        });
        expect(await rejectionOf(passing)).toBe(reasonOf(outer));
      }),
    );
  });

  test("is a schedule point, also if nothing runs in it", async () => {
    await simulate(async (outer) => {
      const log: string[] = [];
      outer.startSoon(() => {
        log.push("other");
      });
      await openNursery(() => {});
      expect(log).toEqual(["other"]);
    });
  });
});

test("NS7: cancelled while it waits at its end, it waits on until its tasks have ended, and adds no cancellation of its own", async () => {
  await simulate(async () => {
    const cleaned: number[] = [];
    const value = await moveOnAfter(5, () =>
      openNursery((nursery) => {
        nursery.startSoon(async () => {
          await sleepForever().catch(() => shield(() => sleep(20)));
          cleaned.push(now());
        });
        return "value";
      }),
    );
    expect([value, cleaned, now()]).toEqual(["value", [25], 25]);
  });
});

describe("NS12: cancelling a nursery's own scope is no error:", () => {
  test("it ends normally, without a value if its body was cut off", async () => {
    await simulate(async () => {
      let nursery: Nursery | undefined;
      const value = await openNursery(async (own) => {
        nursery = own;
        own.startSoon(() => sleepForever());
        own.cancel();
        await checkpoint();
        return "never";
      });
      expect(value).toBe(undefined);
      expect([nursery?.cancelCalled, nursery?.cancelledCaught]).toEqual([true, true]);
    });
  });

  test("with the value of its body if that was not cut off", async () => {
    await simulate(async () => {
      const value = await openNursery(async (own) => {
        own.startSoon(() => sleepForever());
        await sleep(1);
        own.cancel();
        return "value";
      });
      expect(value).toBe("value");
    });
  });

  test("CC7: it has caught nothing if no cancellation has reached it (Trio's, not AnyIO's)", async () => {
    await simulate(async () => {
      let nursery: Nursery | undefined;
      await openNursery(async (own) => {
        nursery = own;
        own.startSoon(() => sleepForever().catch(() => {}));
        await sleep(1);
        own.cancel();
      });
      expect([nursery?.cancelCalled, nursery?.cancelledCaught]).toEqual([true, false]);
    });
  });

  test("CC8: a task that ends cancelled from outside does not cancel its nursery: unlike Trio, a cancellation is no failure", async () => {
    await simulate(() =>
      new CancelScope().run((outer) =>
        openNursery(async (nursery) => {
          nursery.startSoon(() => sleepForever());
          await sleep(1);
          nursery.shield = true;
          outer.cancel();
          nursery.startSoon(async (task) => {
            task.cancel();
            await checkpoint();
          });
          await sleep(1);
          expect(nursery.cancelCalled).toBe(false);
          nursery.shield = false;
        }),
      ),
    );
  });
});

test("a nursery that is entered in a cancelled scope is cancelled with it, and cancels its tasks", async () => {
  const promise = simulate(() =>
    new CancelScope().run(async (outer) => {
      outer.cancel();
      await openNursery((nursery) => {
        expect(nursery.signal.reason).toBe(outer.signal.reason);
        nursery.startSoon(() => checkpoint());
      });
    }),
  );
  expect(await promise).toBe(undefined);
});

test("a cancellation from outside rejects with its Cancelled, which is the same for all", async () => {
  await simulate(() =>
    new CancelScope().run(async (outer) => {
      const nursery = openNursery(async (own) => {
        own.startSoon(() => sleepForever());
        await sleep(1);
        outer.cancel();
        await checkpoint();
      });
      expect(await rejectionAs(Cancelled, nursery)).toBe(reasonOf(outer));
    }),
  );
});
