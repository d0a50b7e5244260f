import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ErrorGroup,
  Event,
  moveOnAfter,
  Nursery,
  NurseryClosedError,
  now,
  openNursery,
  sleep,
  sleepForever,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

const boom = new Error("boom");

const fail = (error: unknown = boom) => Promise.reject(error);

describe("NS8: a nursery takes tasks as long as it has not ended:", () => {
  test("after its body has ended, from its tasks, from outside, and while it is cancelled", async () => {
    const log: string[] = [];
    const note = (text: string) => () => {
      log.push(text);
    };
    let nursery: Nursery | undefined;
    await simulate(async (outer) => {
      outer.startSoon(async () => {
        await sleep(2);
        nursery?.startSoon(note("from outside"));
      });
      await openNursery((own) => {
        nursery = own;
        own.startSoon(async () => {
          await sleep(5);
          own.startSoon(note("from a task"));
          own.cancel();
          own.startSoon(note("while cancelled"));
        });
      });
    });
    expect(log).toEqual(["from outside", "from a task", "while cancelled"]);
  });
});

describe("NS9: a nursery that has ended takes no more:", () => {
  const message = "the nursery root > nursery has ended, and takes no more tasks. Start them before its body and its tasks have ended";

  test("the call throws, and the function is not called", async () => {
    await simulate(async () => {
      const nursery = await openNursery((own) => own);
      const work = () => {
        throw new Error("it was called");
      };
      expect(thrownBy(() => nursery.startSoon(work))).toEqual(new NurseryClosedError(message));
      expect(await rejectionOf(nursery.start(work))).toEqual(new NurseryClosedError(message));
    });
  });

  test("neither does one that was never entered", async () => {
    await simulate(() => {
      const nursery = new Nursery();
      expect(thrownBy(() => nursery.startSoon(() => {}))).toEqual(
        new UsageError("a nursery takes tasks inside the body of openNursery() or run(), or after Nursery.open()"),
      );
    });
  });
});

describe("NS10: startSoon", () => {
  test("runs nothing synchronously; tasks begin in the order of the calls (R16)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 20 }), async (n) => {
        const log: number[] = [];
        await simulate(() =>
          openNursery((nursery) => {
            for (let i = 0; i < n; i++) {
              nursery.startSoon(() => {
                log.push(i);
              });
            }
            expect(log).toEqual([]);
          }),
        );
        expect(log).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });
});

test("NS11: the scopes of a task are those around its nursery, not those of whoever started it", async () => {
  await simulate(async (nursery) => {
    await moveOnAfter(5, async () => {
      nursery.startSoon(async () => {
        await sleep(10);
        expect(now()).toBe(10);
      });
      await sleepForever();
    });
    expect(now()).toBe(5);
  });
});

test("NS15: a task is named after its function and numbered in its nursery, or as it is told", async () => {
  async function fetchPage(): Promise<void> {}
  const names = await simulate((nursery) => {
    nursery.startSoon(fetchPage);
    nursery.startSoon(fetchPage.bind(null));
    nursery.startSoon(fetchPage, { name: "home page" });
    nursery.startSoon(() => {});
    nursery.startSoon(fetchPage, { name: "" });
    return [...nursery.tasks].map(({ name }) => name);
  });
  expect(names).toEqual(["fetchPage#1", "bound fetchPage#2", "home page", "task#3", ""]);
});

describe("NS16: `tasks` are those that have not ended, in the order of their starts;", () => {
  test("scopes and nurseries in it are not among them", async () => {
    await simulate(() =>
      openNursery(async (nursery) => {
        const isDone = new Event();
        const a = nursery.startSoon(() => sleep(1));
        const b = nursery.startSoon(() => isDone.wait());
        const c = nursery.startSoon(() => openNursery((inner) => void inner.startSoon(() => isDone.wait())));
        expect([...nursery.tasks]).toEqual([a, b, c]);
        await new CancelScope().run(() => sleep(5));
        expect([...nursery.tasks]).toEqual([b, c]);
        isDone.set();
        await sleep(1);
        expect([...nursery.tasks]).toEqual([]);
      }),
    );
  });
});

test("NS17: siblings that fail leave each other's errors alone", async () => {
  const other = new Error("other");
  const failing = simulate(() =>
    openNursery((nursery) => {
      for (const error of [boom, other]) nursery.startSoon(() => fail(error));
    }),
  );
  const group = await rejectionAs(ErrorGroup, failing);
  expect(group.errors.map((error: Error) => error.cause)).toEqual([undefined, undefined]);
});
