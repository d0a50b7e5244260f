import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  type MemoryReceiveChannel,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { BROKEN, CLOSED_TO_RECEIVE, drain, waiting, watch } from "./support.js";

const CAPACITIES = [0, 1, 3];
const boom = new Error("boom");

/** The items of a loop, which asks after each one whether it is to be left. */
async function loop(
  items: AsyncIterable<number>,
  leave: (item: number) => "break" | "go on" | Promise<unknown> = () => "go on",
): Promise<number[]> {
  const got: number[] = [];
  for await (const item of items) {
    got.push(item);
    if ((await leave(item)) === "break") break;
  }
  return got;
}

/** Ways to leave a loop over the end early, and what comes out of it then. */
const EARLY: Readonly<Record<string, (items: AsyncIterable<number>) => Promise<unknown>>> = {
  break: (items) => loop(items, (item) => (item === 1 ? "break" : "go on")),
  return: (items) =>
    (async () => {
      for await (const item of items) if (item === 1) return item;
      return undefined;
    })(),
  throw: (items) =>
    rejectionOf(loop(items, (item) => (item === 1 ? Promise.reject(boom) : "go on"))).then((error) => expect(error).toBe(boom)),
  "a cancellation in its body": (items) => moveOnAfter(5, () => loop(items, (item) => (item === 1 ? sleep(100) : "go on"))),
  "a cancellation before it waits for the next": (items) =>
    new CancelScope().run((scope) =>
      loop(items, (item) => {
        if (item === 1) scope.cancel();
        return "go on";
      }),
    ),
};

describe("for await", () => {
  test("takes all items in order, until all send ends are closed", async () => {
    for (const capacity of CAPACITIES) {
      await simulate(async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(capacity);
        nursery.startSoon(async () => {
          using items = send;
          for (let i = 0; i < 10; i++) await items.send(i);
        });
        expect(await loop(receive)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // It came to its end, so there was no need to close it.
        expect(receive.isClosed).toBe(false);
        expect(await loop(receive)).toEqual([]);
      });
    }
  });

  test("of a channel that is closed meanwhile throws", async () => {
    await simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<number>(1);
      send.sendNowait(1);
      nursery.startSoon(() => sleep(1).then(() => receive.close()));
      const got: number[] = [];
      const error = await rejectionOf(loop(receive, (item) => Promise.resolve(got.push(item))));
      expect([error, got]).toEqual([new ClosedResourceError(CLOSED_TO_RECEIVE), [1]]);
    });
  });
});

describe.each(Object.entries(EARLY))("a loop that is left by %s", (_, leave) => {
  test("closes its end: a producer that waits gets BrokenResourceError, and so does what it sends later", async () => {
    for (const capacity of CAPACITIES) {
      await simulate(async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const producer = nursery.startSoon(() =>
          rejectionOf(
            (async () => {
              for (let i = 0; i < 10; i++) await send.send(i);
            })(),
          ),
        );
        await leave(receive);
        expect([receive.isClosed, waiting(send)]).toEqual([true, [0, 0, 0]]);
        expect(await producer.join()).toEqual(new BrokenResourceError(BROKEN));
        expect(await rejectionOf(send.send(1))).toBeInstanceOf(BrokenResourceError);
      });
    }
  });

  test("leaves other handles of the end alone", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(5);
      for (let i = 0; i < 4; i++) send.sendNowait(i);
      const own = receive.clone();
      await leave(own);
      expect([own.isClosed, receive.isClosed]).toEqual([true, false]);
      expect(drain(receive)).toEqual([2, 3]);
    });
  });

  test("leaves the end open with `preventCancel`, and what was not taken stays there", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(5);
      for (let i = 0; i < 4; i++) send.sendNowait(i);
      await leave(receive.values({ preventCancel: true }));
      expect(receive.isClosed).toBe(false);
      expect(drain(receive)).toEqual([2, 3]);
      await send.send(4);
      expect(await receive.receive()).toBe(4);
    });
  });

  test("closes the end where `preventCancel` is false", async () => {
    await simulate(async () => {
      for (const options of [{}, { preventCancel: false }, { preventCancel: undefined }]) {
        const { send, receive } = openMemoryChannel<number>(5);
        for (let i = 0; i < 4; i++) send.sendNowait(i);
        await leave(receive.values(options));
        expect(receive.isClosed).toBe(true);
      }
    });
  });
});

describe("a loop that is cancelled while it waits for the next item", () => {
  test("closes its end as well: it does not depend on the moment", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(0);
      expect(await moveOnAfter(5, () => loop(receive))).toBe(undefined);
      expect(receive.isClosed).toBe(true);
      expect(await rejectionOf(send.send(1))).toBeInstanceOf(BrokenResourceError);
    });
  });

  test("not with `preventCancel`", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(1);
      expect(await moveOnAfter(5, () => loop(receive.values({ preventCancel: true })))).toBe(undefined);
      expect(receive.isClosed).toBe(false);
      await send.send(1);
      expect(await receive.receive()).toBe(1);
    });
  });

  test("all that is cancelled together is cancelled: nobody finds the end closed instead", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(0);
      const seen: unknown[] = [];
      const scope = new CancelScope();
      const all = scope.run(() =>
        openNursery((nursery) => {
          const waits: (() => Promise<unknown>)[] = [
            () => loop(receive),
            () => loop(receive),
            () => receive.receive(),
            () => loop(receive.clone()),
          ];
          for (const wait of waits) nursery.startSoon(() => wait().catch((error: unknown) => Promise.reject(seen.push(error) && error)));
        }),
      );
      const other = watch(receive.receive());
      await sleep(1);
      expect(waiting(send)).toEqual([0, 0, 5]);
      scope.cancel();
      expect(waiting(send)).toEqual([0, 0, 0]);
      await all;
      expect(seen).toEqual(new Array(4).fill(scope.signal.reason));
      // It waits on the same handle, elsewhere.
      await checkpoint();
      expect(other.outcome).toEqual({ error: new ClosedResourceError(CLOSED_TO_RECEIVE) });
    });
  });
});

describe("an iterator", () => {
  test("is at its end once it was left, with `preventCancel` too", async () => {
    await simulate(async () => {
      for (const preventCancel of [true, false]) {
        const { send, receive } = openMemoryChannel<number>(5);
        for (let i = 0; i < 4; i++) send.sendNowait(i);
        const items = receive.values({ preventCancel });
        expect(items[Symbol.asyncIterator]()).toBe(items);
        expect(await EARLY["break"]?.(items)).toEqual([0, 1]);
        expect(await items.next()).toEqual({ done: true, value: undefined });
        expect(await loop(items)).toEqual([]);
        expect(receive.statistics().currentBufferUsed).toBe(preventCancel ? 2 : 0);
        expect(await items.return?.()).toEqual({ done: true, value: undefined });
      }
    });
  });

  test("return() is no checkpoint: it works in a cancelled scope, and outside of any", async () => {
    const { receive } = openMemoryChannel<number>(0);
    expect(await receive.values().return?.()).toEqual({ done: true, value: undefined });
    expect(receive.isClosed).toBe(true);
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.cancel();
        const { receive } = openMemoryChannel<number>(0);
        expect(await receive.values().return?.()).toEqual({ done: true, value: undefined });
        expect(receive.isClosed).toBe(true);
      }),
    );
  });

  test("a second loop over an end that a first has closed throws", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(5);
      for (let i = 0; i < 4; i++) send.sendNowait(i);
      await EARLY["break"]?.(receive);
      expect(await rejectionOf(loop(receive))).toEqual(new ClosedResourceError(CLOSED_TO_RECEIVE));
    });
  });

  test("two loops at once over one end share its items; and its fate, if one is left", async () => {
    await simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<number>(0);
      const loops = [
        nursery.startSoon(() => loop(receive).catch((error) => error)),
        nursery.startSoon(() => loop(receive, (item) => (item >= 3 ? "break" : "go on"))),
      ];
      for (let i = 0; i < 4; i++) {
        await send.send(i);
        await sleep(1);
      }
      expect(await Promise.all(loops.map((task) => task.join()))).toEqual([new ClosedResourceError(CLOSED_TO_RECEIVE), [1, 3]]);
    });
  });
});

describe("values(scope)", () => {
  test("waits in the scope that it is passed, where none is ambient", async () => {
    await run(
      async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(0);
        const consumer = nursery.startSoon(async (task) => {
          const got: number[] = [];
          for await (const item of receive.values(task)) got.push(item);
          return got;
        });
        for (let i = 0; i < 3; i++) await send.send(i, nursery);
        send.close();
        expect(await consumer.join(nursery)).toEqual([0, 1, 2]);
        const other = openMemoryChannel<number>(0);
        const cancelled = nursery.startSoon((task) => rejectionOf(loop(other.receive.values(task))));
        await sleep(1, nursery);
        cancelled.cancel();
        expect(await cancelled.join(nursery)).toBe(cancelled.signal.reason);
        expect(other.receive.isClosed).toBe(true);
      },
      { ambient: false },
    );
  });

  test("waits in a scope around, which alone cancels it then", async () => {
    await simulate(async () => {
      const { receive } = openMemoryChannel<number>(0);
      await new CancelScope().run(async (outer) => {
        await new CancelScope({ shield: true }).run(async () => {
          const error = rejectionOf(loop(receive.values(outer)));
          outer.cancel();
          expect(await error).toBe(outer.signal.reason);
        });
      });
    });
  });

  test("under a foreign signal: its abort ends the loop", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      const { send, receive } = openMemoryChannel<number>(3);
      send.sendNowait(1);
      const looping = rejectionOf(loop(receive.values({ signal: controller.signal })));
      await sleep(1);
      controller.abort("enough");
      const error = await looping;
      expect(error).toBeInstanceOf(Cancelled);
      expect(error).toMatchObject({ kind: "signal", cause: "enough" });
      expect(receive.isClosed).toBe(true);
    });
  });
});

test("an end can be handed to whatever takes an AsyncIterable", async () => {
  await simulate(async () => {
    const { send, receive } = openMemoryChannel<number>(3);
    for (let i = 0; i < 3; i++) send.sendNowait(i);
    send.close();
    const take = async (items: AsyncIterable<number>): Promise<number[]> => loop(items);
    const end: MemoryReceiveChannel<number> = receive;
    expect(await take(end)).toEqual([0, 1, 2]);
  });
});
