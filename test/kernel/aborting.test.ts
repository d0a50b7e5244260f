import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, Event, type Nursery, openNursery, type Parked, park, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { waiting } from "./operations.js";
import { reasonOf, rejectionOf } from "./support.js";

describe("LT7: a blocked operation is undone inside cancel(), and throws on its next turn:", () => {
  for (const { name, prepare } of waiting) {
    test(name, async () => {
      await simulate(async (nursery) => {
        const scope = new CancelScope();
        const { call, trace, complete } = await prepare(nursery);
        const before = trace();
        let ending: unknown;
        nursery.startSoon(() =>
          scope.run(async () => {
            ending = "waits";
            ending = await rejectionOf(call());
          }),
        );
        await sleep(1);
        scope.cancel();
        expect(trace()).toEqual(before);
        expect(ending).toBe("waits");
        complete?.();
        await checkpoint();
        await checkpoint();
        expect(ending).toBe(reasonOf(scope));
      });
    });
  }
});

describe("LT8: whichever of completion and cancellation comes first has the say:", () => {
  for (const { name, prepare } of waiting.filter((operation) => !/sleep/.test(operation.name))) {
    test(`${name}: completed, then cancelled`, async () => {
      const log: string[] = [];
      await simulate(async (nursery) => {
        const scope = new CancelScope();
        const { call, complete } = await prepare(nursery);
        nursery.startSoon(() =>
          scope.run(async () => {
            await call();
            log.push("delivered");
            await checkpoint();
            log.push("never");
          }),
        );
        await sleep(1);
        complete?.();
        // A lock and a task are given up by their holders, on their next turns.
        if (name.includes("another task") || name.startsWith("join")) for (let i = 0; i < 4 && log.length === 0; i++) await checkpoint();
        scope.cancel();
        await checkpoint();
      });
      expect(log).toEqual(["delivered"]);
    });
  }

  test("an event is set, then the scope is cancelled in the same step: the wait has its value", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const scope = new CancelScope();
      const event = new Event();
      nursery.startSoon(() =>
        scope.run(async () => {
          await event.wait();
          log.push("delivered");
        }),
      );
      await sleep(1);
      event.set();
      scope.cancel();
    });
    expect(log).toEqual(["delivered"]);
  });
});

describe("LT9: an operation that cannot be interrupted refuses, by returning false when it is to be undone:", () => {
  interface Refusing {
    readonly handle: Parked<string>;
    readonly asked: () => number;
    readonly ended: () => unknown;
    readonly scope: CancelScope;
  }

  /** A task that waits for something that refuses. */
  async function refusing(nursery: Nursery): Promise<Refusing> {
    const scope = new CancelScope();
    let handle: Parked<string> | undefined;
    let asked = 0;
    let ended: unknown;
    nursery.startSoon(() =>
      scope.run(async () => {
        ended = await park<string>((parked) => {
          handle = parked;
          return () => {
            asked++;
            return false;
          };
        }).catch((error) => error);
        await checkpoint();
      }),
    );
    await sleep(1);
    return { handle: handle as Parked<string>, asked: () => asked, ended: () => ended, scope };
  }

  test("it is then completed normally, and the next checkpoint throws", async () => {
    await simulate(async (nursery) => {
      const { handle, ended, scope } = await refusing(nursery);
      scope.cancel();
      await sleep(10);
      expect(ended()).toBe(undefined);
      expect(handle.wake("late")).toBe(true);
      await sleep(1);
      expect(ended()).toBe("late");
      expect(scope.cancelledCaught).toBe(true);
    });
  });

  test("LT10: or it ends with the cancellation later, by failing with the reason", async () => {
    await simulate(async (nursery) => {
      const { handle, ended, scope } = await refusing(nursery);
      scope.cancel();
      await sleep(10);
      expect(handle.fail(scope.signal.reason)).toBe(true);
      await sleep(1);
      expect(ended()).toBe(scope.signal.reason);
    });
  });

  test("LT10: it is asked once, however many scopes around it are cancelled", async () => {
    await simulate(async (nursery) => {
      await openNursery(async (outer) => {
        const { handle, asked, scope } = await refusing(outer);
        scope.cancel();
        outer.cancel();
        nursery.startSoon(async () => {
          await sleep(10);
          expect(asked()).toBe(1);
          handle.wake("late");
        });
      });
    });
  });

  test("LT10: also if the scope is left meanwhile: its end waits for it", async () => {
    await simulate(async (nursery) => {
      let asked = 0;
      let handle: Parked<string> | undefined;
      let ended: unknown = "not yet";
      const scope = new CancelScope();
      nursery.startSoon(async () => {
        await scope.run(async () => {
          void park<string>((parked) => {
            handle = parked;
            return () => {
              asked++;
              return false;
            };
          }).then(
            (value) => {
              ended = value;
            },
            () => {
              ended = "cut off";
            },
          );
          await sleep(1);
          scope.cancel();
        });
        expect(ended).toBe("late");
      });
      await sleep(10);
      expect(ended).toBe("not yet");
      handle?.wake("late");
      await sleep(1);
      expect([asked, ended]).toEqual([1, "late"]);
    });
  });
});
