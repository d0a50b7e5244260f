import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Event, moveOnAfter, now, openMemoryChannel, run, type Selectable, select, selectFair, sleep, timeout } from "../../src/index.js";
import { watchPlatform } from "../rules/r12-platform-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** An event, set or not. */
function event(isSet: boolean): Event {
  const event = new Event();
  if (isSet) event.set();
  return event;
}

function named<T>(things: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(things.map((thing, i) => [`case ${i}`, thing]));
}

describe("select()", () => {
  test("of several that can be done, does the one that is named first; and no other", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), async (ready) => {
        await simulate(async () => {
          const channels = ready.map((isReady) => {
            const channel = openMemoryChannel<string>(1);
            if (isReady) channel.send.sendNowait("item");
            return channel;
          });
          const chosen = await moveOnAfter(1, () => select(named(channels.map(({ receive }) => receive))));
          const first = ready.indexOf(true);
          expect(chosen?.key).toBe(first < 0 ? undefined : `case ${first}`);
          const left = channels.map(({ send }) => send.statistics().currentBufferUsed > 0);
          expect(left).toEqual(ready.map((isReady, i) => isReady && i !== first));
        });
      }),
    );
  });

  test("a failure is one of what can be done at once, in its place", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      send.close();
      expect(await select({ set: event(true), ended: receive })).toEqual({ key: "set", value: undefined });
      await expect(select({ ended: receive, set: event(true) })).rejects.toThrow("all send ends of this channel are closed");
    });
  });

  test("names that are whole numbers come first, by their size: JavaScript orders keys so", async () => {
    await simulate(async () => {
      const all = { late: event(true), 10: event(true), 9: event(true) };
      expect(await select(all)).toEqual({ key: "9", value: undefined });
    });
  });

  test("timeout(0) is for when nothing else can be done, wherever it is named", async () => {
    await simulate(async () => {
      const chosen = async (isReady: boolean) => [
        (await select({ now: timeout(0), set: event(isReady) })).key,
        (await select({ set: event(isReady), now: timeout(0) })).key,
        (await select({ never: timeout(Number.POSITIVE_INFINITY), now: timeout(0), set: event(isReady), soon: timeout(1) })).key,
      ];
      expect(await chosen(true)).toEqual(["set", "set", "set"]);
      expect(await chosen(false)).toEqual(["now", "now", "now"]);
      expect(now()).toBe(0);
    });
  });
});

describe("timeout()", () => {
  test("counts from the beginning of each select(), not from its own call; the shortest wins", async () => {
    await simulate(async () => {
      const late = timeout(5);
      await sleep(100);
      for (let i = 1; i <= 3; i++) {
        expect(await select({ later: timeout(6), late, never: timeout(Number.POSITIVE_INFINITY) })).toEqual({
          key: "late",
          value: undefined,
        });
        expect(now()).toBe(100 + i * 5);
      }
    });
  });

  test("the one that is named first wins, of two of the same time", async () => {
    await simulate(async () => {
      expect((await select({ a: timeout(5), b: timeout(5) })).key).toBe("a");
      expect((await select({ b: timeout(5), a: timeout(5) })).key).toBe("b");
    });
  });

  test("a deadline of the same instant comes before it", async () => {
    await simulate(async () => {
      expect(await moveOnAfter(5, () => select({ late: timeout(5) }))).toBe(undefined);
      expect(await moveOnAfter(5.5, () => select({ late: timeout(5) }))).toEqual({ key: "late", value: undefined });
    });
  });

  test("has no timer any more once something else was chosen, or it was cancelled; so it holds up nothing", async () => {
    const { armed, ticking } = await watchPlatform(() =>
      run(async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(0);
        nursery.startSoon(() => send.send(1));
        expect((await select({ item: receive, late: timeout(1e9), later: timeout(2e9) })).key).toBe("item");
        nursery.startSoon(() => sleep(1).then(() => nursery.cancel()));
        await select({ item: receive, late: timeout(1e9) }).catch(() => {});
      }),
    );
    expect(armed).toBeGreaterThan(0);
    expect(ticking).toBe(0);
  });

  test("of a time above 2^31 ms works", async () => {
    await simulate(async () => {
      expect((await select({ long: timeout(2 ** 40), longer: timeout(2 ** 41) })).key).toBe("long");
      expect(now()).toBe(2 ** 40);
    });
  });
});

const CASES = 4;

/** How often each of several cases was chosen that could all be done. */
async function chosenBy(
  times: number,
  choose: (cases: Readonly<Record<string, Selectable<unknown>>>) => Promise<{ readonly key: string }>,
): Promise<number[]> {
  const counts: number[] = new Array(CASES).fill(0);
  const cases = named(counts.map(() => event(true)));
  for (let i = 0; i < times; i++) {
    const chosen = Number((await choose(cases)).key.slice("case ".length));
    counts[chosen] = (counts[chosen] as number) + 1;
  }
  return counts;
}

describe("selectFair()", () => {
  test("gives each of those that can be done the same chance, where select() always takes the first", async () => {
    for (const go of [simulate, run]) {
      await go(async () => {
        expect(await chosenBy(400, select)).toEqual([400, 0, 0, 0]);
        // Of 4,000, each has 1,000 to expect, with a standard deviation of 27.
        for (const count of await chosenBy(4_000, selectFair)) {
          expect(count).toBeGreaterThan(800);
          expect(count).toBeLessThan(1_200);
        }
      });
    }
  });

  test("never takes one that cannot be done", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), fc.nat(20), async (ready, skipped) => {
        await simulate(async () => {
          const events = ready.map(event);
          for (let i = 0; i < skipped; i++) await selectFair({ a: event(true), b: event(true) });
          for (let i = 0; i < 8; i++) {
            const chosen = await selectFair({ ...named(events), none: timeout(0) });
            if (ready.includes(true)) expect(ready[Number(chosen.key.slice("case ".length))]).toBe(true);
            else expect(chosen.key).toBe("none");
            for (const event of events) expect(event.statistics().tasksWaiting).toBe(0);
          }
        });
      }),
    );
  });

  test("takes no chance where there is no choice: what is chosen next is the same with it and without", async () => {
    const choices = async (isAlone: boolean) => {
      const keys: string[] = [];
      await simulate(async () => {
        for (let i = 0; i < 20; i++) {
          if (isAlone) await selectFair({ only: event(true), never: event(false) });
          keys.push((await selectFair({ a: event(true), b: event(true), c: event(true) })).key);
        }
      });
      return keys;
    };
    expect(await choices(true)).toEqual(await choices(false));
  });

  test("in simulated time the choices are the same in each replay of a schedule", async () => {
    const choices = async (schedule: number) => {
      const keys: string[] = [];
      await simulate(
        (nursery) => {
          for (const who of ["a", "b", "c"]) {
            nursery.startSoon(async () => {
              for (let i = 0; i < 10; i++) keys.push(who + (await selectFair({ x: event(true), y: event(true) })).key);
            });
          }
        },
        { pick: pickOf(schedule) },
      );
      return keys;
    };
    await fc.assert(
      fc.asyncProperty(schedules(), async (schedule) => {
        expect(await choices(schedule)).toEqual(await choices(schedule));
      }),
      {
        numRuns: 20,
      },
    );
  });
});
