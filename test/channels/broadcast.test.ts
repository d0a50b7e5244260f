import { describe, expect, expectTypeOf, test } from "vitest";
import {
  Broadcast,
  CancelScope,
  checkpoint,
  moveOnAfter,
  now,
  openNursery,
  run,
  type SlowPolicy,
  type Subscription,
  select,
  sleep,
  timeout,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const POLICIES: readonly SlowPolicy[] = ["block", "dropOldest", "fail"];

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe.each(POLICIES)("a broadcast that is to %s", (onSlow) => {
  test("sends every item to everybody who has subscribed by then, in the same order", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 10, onSlow });
      const seen: number[][] = [];
      const listen = () => {
        const items = broadcast.subscribe();
        nursery.startSoon(async () => seen.push(await listOf(items)));
      };
      listen();
      await broadcast.send(1);
      listen();
      broadcast.sendNowait(2);
      await sleep(1);
      await broadcast.send(3);
      listen();
      broadcast.close();
      await sleep(1);
      // In the order in which they ended.
      expect(seen.sort((a, b) => b.length - a.length)).toEqual([[1, 2, 3], [2, 3], []]);
    });
  });

  test("sends to nobody where there is nobody", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow });
      for (let i = 0; i < 10; i++) await broadcast.send(i);
      const items = broadcast.subscribe();
      await broadcast.send(10);
      expect([items.receiveNowait(), broadcast.statistics().currentBufferUsed]).toEqual([10, 0]);
    });
  });

  test("lets others run in each send and each receive, and refuses both in a cancelled scope", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 100, onSlow });
      const items = broadcast.subscribe();
      let steps = 0;
      nursery.startSoon(
        async () => {
          for (;;) {
            steps++;
            await checkpoint();
          }
        },
        { background: true },
      );
      for (let i = 0; i < 5; i++) {
        const before = steps;
        await broadcast.send(i);
        expect(steps).toBeGreaterThan(before);
      }
      for (let i = 0; i < 5; i++) {
        const before = steps;
        await items.receive();
        expect(steps).toBeGreaterThan(before);
      }
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(broadcast.send(1))).toBe(scope.signal.reason);
        expect(await rejectionOf(items.receive())).toBe(scope.signal.reason);
      });
      expect(items.statistics().currentBufferUsed).toBe(0);
    });
  });

  test("closed: what is left is read, then comes the end; nothing can be sent, and nobody can come", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const items = broadcast.subscribe();
      await broadcast.send(1);
      broadcast.close();
      broadcast.close();
      expect(broadcast.isClosed).toBe(true);
      const message = (what: string) => `this broadcast is closed, so it cannot ${what} any more`;
      expect(await rejectionOf(broadcast.send(2))).toMatchObject({ name: "ClosedResourceError", message: message("send") });
      expect(thrownBy(() => broadcast.sendNowait(2))).toMatchObject({ name: "ClosedResourceError", message: message("send") });
      expect(await rejectionOf(select({ sent: broadcast.sending(2) }))).toMatchObject({ name: "ClosedResourceError" });
      expect(thrownBy(() => broadcast.subscribe())).toMatchObject({
        name: "ClosedResourceError",
        message: message("be subscribed to"),
      });
      expect(await items.receive()).toBe(1);
      const end = { name: "EndOfChannel", message: "the broadcast is closed, and nothing is left to receive" };
      expect(await rejectionOf(items.receive())).toMatchObject(end);
      expect(thrownBy(() => items.receiveNowait())).toMatchObject(end);
      expect(await listOf(items)).toEqual([]);
    });
  });

  test("closing it ends all waits, in order of arrival", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const log: string[] = [];
      for (const name of ["a", "b", "c"]) {
        const items = broadcast.subscribe();
        nursery.startSoon(async () => log.push(`${name}: ${((await rejectionOf(items.receive())) as Error).name}`));
      }
      await sleep(1);
      {
        using _ = broadcast;
      }
      await sleep(1);
      expect(log).toEqual(["a: EndOfChannel", "b: EndOfChannel", "c: EndOfChannel"]);
    });
  });

  test("wakes who waits in order of arrival", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const log: string[] = [];
      const subscriptions = ["a", "b", "c"].map((name) => [name, broadcast.subscribe()] as const);
      for (const [name, items] of subscriptions.reverse()) {
        nursery.startSoon(async () => log.push(`${name}${await items.receive()}`));
      }
      await sleep(1);
      await broadcast.send(1);
      await sleep(1);
      expect(log).toEqual(["c1", "b1", "a1"]);
    });
  });

  test("several tasks share the items of one subscription, in order of arrival", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const items = broadcast.subscribe();
      const other = broadcast.subscribe();
      const got: number[] = [];
      for (let i = 0; i < 3; i++) nursery.startSoon(async () => got.push(await items.receive()));
      await sleep(1);
      for (let i = 0; i < 3; i++) await broadcast.send(i);
      await sleep(1);
      expect(got).toEqual([0, 1, 2]);
      broadcast.close();
      expect(await listOf(other)).toEqual([0, 1, 2]);
    });
  });

  test("one select over two of its subscriptions gets an item of one, and the other one keeps it", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const [a, b] = [broadcast.subscribe(), broadcast.subscribe()];
      const chosen = nursery.startSoon(() => select({ b, a }));
      await sleep(1);
      await broadcast.send(7);
      expect(await chosen.join()).toEqual({ key: "b", value: 7 });
      expect([a.statistics(), b.statistics()]).toMatchObject([{ currentBufferUsed: 1 }, { currentBufferUsed: 0 }]);
      expect(a.receiveNowait()).toBe(7);
      const ended = nursery.startSoon(() => select({ a: a.orEnd, b: b.orEnd }));
      await sleep(1);
      broadcast.close();
      expect(await ended.join()).toEqual({ key: "a", value: { done: true, value: undefined } });
    });
  });

  test("leaving the loop closes the subscription, whichever way; a guest leaves it open", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      nursery.startSoon(
        async () => {
          for (let i = 0; ; i++) {
            await sleep(10);
            await broadcast.send(i);
          }
        },
        { background: true },
      );
      const ways: ((items: Subscription<number>) => Promise<unknown>)[] = [
        async (items) => {
          for await (const _ of items) break;
        },
        (items) =>
          rejectionOf(
            (async () => {
              for await (const _ of items) throw new Error("boom");
            })(),
          ),
        (items) => moveOnAfter(15, () => listOf(items)),
        async (items) => {
          using _ = items;
          await items.receive();
        },
      ];
      for (const leave of ways) {
        const items = broadcast.subscribe();
        expect(items.isClosed).toBe(false);
        await leave(items);
        expect([items.isClosed, broadcast.statistics().subscribers]).toEqual([true, 0]);
      }
      const items = broadcast.subscribe();
      for await (const _ of items.values({ preventCancel: true })) break;
      await moveOnAfter(15, () => listOf(items.values({ preventCancel: true })));
      expect(items.isClosed).toBe(false);
      items.close();
    });
  });

  test("a closed subscription says so, also to who waits on it", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow });
      const items = broadcast.subscribe();
      const waiting = nursery.startSoon(() => rejectionOf(items.receive()));
      await sleep(1);
      items.close();
      items.close();
      const closed = { name: "ClosedResourceError", message: "this subscription is closed by its own side, so it cannot receive any more" };
      expect(await waiting.join()).toMatchObject(closed);
      expect(await rejectionOf(items.receive())).toMatchObject(closed);
      expect(thrownBy(() => items.receiveNowait())).toMatchObject(closed);
      expect(await rejectionOf(select({ items }))).toMatchObject(closed);
      expect(broadcast.statistics().subscribers).toBe(0);
    });
  });

  test("without an item a receiveNowait would have to wait", async () => {
    const items = new Broadcast<number>({ capacity: 3, onSlow }).subscribe();
    expect(thrownBy(() => items.receiveNowait())).toMatchObject({
      name: "WouldBlock",
      message: "there is nothing to receive on this subscription",
    });
  });

  test("keeps nothing alive that nobody will read", async () => {
    const broadcast = new Broadcast<object>({ capacity: 4, onSlow });
    const items = broadcast.subscribe();
    const late = broadcast.subscribe();
    const refs: WeakRef<object>[] = [];
    const fill = () => {
      for (let i = 0; i < 4; i++) {
        const item = { i };
        refs.push(new WeakRef(item));
        broadcast.sendNowait(item);
      }
    };
    const alive = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      globalThis.gc?.();
      return refs.filter((ref) => ref.deref() !== undefined).length;
    };
    fill();
    expect(await alive()).toBe(4);
    for (let i = 0; i < 4; i++) items.receiveNowait();
    expect(await alive()).toBe(4);
    late.receiveNowait();
    expect(await alive()).toBe(3);
    late.close();
    expect(await alive()).toBe(0);
  });

  test("grows with what the slowest has to read, also while others have read everything", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 100, onSlow });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      for (let i = 0; i < 50; i++) {
        broadcast.sendNowait(i);
        expect(fast.receiveNowait()).toBe(i);
      }
      expect(broadcast.statistics().currentBufferUsed).toBe(50);
      for (let i = 0; i < 30; i++) expect(slow.receiveNowait()).toBe(i);
      expect(broadcast.statistics().currentBufferUsed).toBe(20);
      slow.close();
      expect(broadcast.statistics().currentBufferUsed).toBe(0);
      broadcast.sendNowait(50);
      expect([fast.receiveNowait(), broadcast.statistics().currentBufferUsed]).toEqual([50, 0]);
    });
  });

  test("a hundred subscribers read as one who never does falls behind", async () => {
    await run(async () => {
      const broadcast = new Broadcast<number>({ capacity: 1_000, onSlow: onSlow === "block" ? "dropOldest" : onSlow });
      const idle = broadcast.subscribe();
      const subscriptions = Array.from({ length: 100 }, () => broadcast.subscribe());
      let sum = 0;
      for (let i = 0; i < 1_000; i++) {
        broadcast.sendNowait(i);
        for (const items of subscriptions) sum += items.receiveNowait();
      }
      expect(sum).toBe(100 * 499_500);
      expect(idle.statistics().currentBufferUsed).toBe(1_000);
    });
  });
});

describe("block", () => {
  test("a send waits for the slowest subscriber, and reaches all at once", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 2, onSlow: "block" });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      await broadcast.send(1);
      await broadcast.send(2);
      expect([fast.receiveNowait(), fast.receiveNowait()]).toEqual([1, 2]);
      expect(thrownBy(() => broadcast.sendNowait(3))).toMatchObject({
        name: "WouldBlock",
        message: "a subscriber has as many items to read as it may",
      });
      nursery.startSoon(async () => {
        await sleep(10);
        expect(await slow.receive()).toBe(1);
      });
      await broadcast.send(3);
      expect([now(), fast.receiveNowait(), slow.receiveNowait(), slow.receiveNowait()]).toEqual([10, 3, 2, 3]);
    });
  });

  test("R6: a send that was cancelled has reached nobody; one that was done has reached all", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      await broadcast.send(1);
      fast.receiveNowait();
      await moveOnAfter(5, () => broadcast.send(2));
      expect([fast.statistics().currentBufferUsed, broadcast.statistics().tasksWaitingSend]).toEqual([0, 0]);
      expect(slow.receiveNowait()).toBe(1);
      expect(thrownBy(() => slow.receiveNowait())).toMatchObject({ name: "WouldBlock" });
      const scope = new CancelScope();
      let isSent = false;
      await openNursery((nursery) => {
        nursery.startSoon(() =>
          scope.run(async () => {
            await broadcast.send(3);
            isSent = true;
          }),
        );
      });
      const other = new CancelScope();
      await openNursery((nursery) => {
        nursery.startSoon(() =>
          other.run(async () => {
            await broadcast.send(4);
            isSent = true;
          }),
        );
        nursery.startSoon(async () => {
          await sleep(1);
          isSent = false;
          expect([fast.receiveNowait(), slow.receiveNowait()]).toEqual([3, 3]);
          other.cancel();
        });
      });
      expect(isSent).toBe(true);
      expect([fast.receiveNowait(), slow.receiveNowait()]).toEqual([4, 4]);
    });
  });

  test("R11: senders are served in order of arrival, and nobody gets in between", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
      const items = broadcast.subscribe();
      for (let i = 0; i < 4; i++) nursery.startSoon(() => broadcast.send(i));
      await sleep(1);
      expect(broadcast.statistics().tasksWaitingSend).toBe(3);
      expect(items.receiveNowait()).toBe(0);
      expect(thrownBy(() => broadcast.sendNowait(9))).toMatchObject({ name: "WouldBlock" });
      for (let i = 1; i < 4; i++) expect(await items.receive()).toBe(i);
    });
  });

  test("a subscriber that goes away releases those who wait for it; so does closing the broadcast, with an error", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      await broadcast.send(1);
      fast.receiveNowait();
      nursery.startSoon(async () => {
        await sleep(5);
        slow.close();
      });
      await broadcast.send(2);
      expect([now(), fast.receiveNowait()]).toEqual([5, 2]);
      broadcast.sendNowait(3);
      nursery.startSoon(async () => {
        await sleep(5);
        broadcast.close();
      });
      expect(await rejectionOf(broadcast.send(4))).toMatchObject({ name: "ClosedResourceError" });
      expect(await listOf(fast)).toEqual([3]);
    });
  });

  test("who comes while a send waits gets that item, too: it was not sent yet", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
      const first = broadcast.subscribe();
      await broadcast.send(1);
      nursery.startSoon(() => broadcast.send(2));
      await sleep(1);
      const second = broadcast.subscribe();
      expect(first.receiveNowait()).toBe(1);
      expect([first.receiveNowait(), second.receiveNowait()]).toEqual([2, 2]);
    });
  });

  test("a send can be one of the cases of a select", async () => {
    await simulate(async (nursery) => {
      const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "block" });
      const items = broadcast.subscribe();
      expect(await select({ sent: broadcast.sending(1), late: timeout(5) })).toEqual({ key: "sent", value: undefined });
      expect(await select({ sent: broadcast.sending(2), late: timeout(5) })).toEqual({ key: "late", value: undefined });
      nursery.startSoon(async () => {
        await sleep(3);
        expect(items.receiveNowait()).toBe(1);
      });
      expect(await select({ sent: broadcast.sending(3), late: timeout(5) })).toEqual({ key: "sent", value: undefined });
      expect([now(), items.receiveNowait()]).toEqual([8, 3]);
    });
  });

  test("without a bound nobody ever waits", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: Number.POSITIVE_INFINITY, onSlow: "block" });
      const items = broadcast.subscribe();
      for (let i = 0; i < 1_000; i++) broadcast.sendNowait(i);
      broadcast.close();
      expect(await listOf(items)).toEqual([...Array(1_000).keys()]);
    });
  });
});

describe("dropOldest", () => {
  test("the slow one loses its oldest items and counts them, the others none", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 3, onSlow: "dropOldest" });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      for (let i = 1; i <= 5; i++) {
        await broadcast.send(i);
        expect(fast.receiveNowait()).toBe(i);
      }
      expect(slow.statistics()).toEqual({ currentBufferUsed: 3, dropped: 2, tasksWaitingReceive: 0 });
      expect(fast.statistics()).toEqual({ currentBufferUsed: 0, dropped: 0, tasksWaitingReceive: 0 });
      broadcast.close();
      expect(await listOf(slow)).toEqual([3, 4, 5]);
      expect(slow.statistics()).toEqual({ currentBufferUsed: 0, dropped: 2, tasksWaitingReceive: 0 });
    });
  });

  test("what is left of its items comes in order, though nobody has asked for statistics", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 2, onSlow: "dropOldest" });
      const items = broadcast.subscribe();
      for (let i = 0; i < 20; i++) await broadcast.send(i);
      expect([items.receiveNowait(), items.receiveNowait()]).toEqual([18, 19]);
      await broadcast.send(20);
      expect(await items.receive()).toBe(20);
    });
  });

  test("what it lost is known also after it was closed, and those that were lost by then count", () => {
    const broadcast = new Broadcast<number>({ capacity: 1, onSlow: "dropOldest" });
    const items = broadcast.subscribe();
    for (let i = 0; i < 5; i++) broadcast.sendNowait(i);
    items.close();
    for (let i = 0; i < 5; i++) broadcast.sendNowait(i);
    expect(items.statistics()).toEqual({ currentBufferUsed: 0, dropped: 4, tasksWaitingReceive: 0 });
  });
});

describe("fail", () => {
  test("the slow one is cut off: its receive says so, and the others go on", async () => {
    await simulate(async () => {
      const broadcast = new Broadcast<number>({ capacity: 2, onSlow: "fail" });
      const [fast, slow] = [broadcast.subscribe(), broadcast.subscribe()];
      for (let i = 1; i <= 3; i++) {
        expect(broadcast.statistics().subscribers).toBe(2);
        await broadcast.send(i);
        expect(fast.receiveNowait()).toBe(i);
      }
      expect(broadcast.statistics()).toMatchObject({ subscribers: 1, currentBufferUsed: 0 });
      const cutOff = {
        name: "BrokenResourceError",
        message:
          'this subscription was cut off, because it was more than 2 items behind. Read faster, give the broadcast more capacity, or have it "block" or "dropOldest"',
      };
      expect(await rejectionOf(slow.receive())).toMatchObject(cutOff);
      expect(thrownBy(() => slow.receiveNowait())).toMatchObject(cutOff);
      expect(await rejectionOf(select({ slow }))).toMatchObject(cutOff);
      expect(await rejectionOf(select({ slow: slow.orEnd }))).toMatchObject(cutOff);
      broadcast.close();
      expect(await rejectionOf(listOf(slow))).toMatchObject(cutOff);
      // Which has closed it.
      expect(await rejectionOf(slow.receive())).toMatchObject({ name: "ClosedResourceError" });
      expect(broadcast.statistics().subscribers).toBe(1);
      expect(await listOf(fast)).toEqual([]);
    });
  });
});

describe("what it takes", () => {
  test("what is wrong is told at the call", () => {
    const make = (options: object) => thrownBy(() => new Broadcast(options as { capacity: number; onSlow: SlowPolicy }));
    expect(make({ capacity: 0, onSlow: "block" })).toMatchObject({
      name: "RangeError",
      message: "the capacity of a broadcast is at least 1: a subscriber has to be able to be one item behind",
    });
    expect(make({ capacity: 1.5, onSlow: "block" })).toMatchObject({
      name: "RangeError",
      message: "the capacity of a broadcast is a whole number that is not negative, or Infinity, not 1.5",
    });
    expect(make({ onSlow: "block" })).toMatchObject({ name: "TypeError" });
    expect(make({ capacity: 1 })).toMatchObject({
      name: "UsageError",
      message: '`onSlow` of a broadcast is "block", "dropOldest" or "fail", not undefined',
    });
  });

  test("types", () => {
    const check = (broadcast: Broadcast<number>) => {
      expectTypeOf(broadcast.subscribe()).toEqualTypeOf<Subscription<number>>();
      expectTypeOf(broadcast.subscribe().receive()).toEqualTypeOf<Promise<number>>();
      expectTypeOf(select({ item: broadcast.subscribe() })).toEqualTypeOf<Promise<{ readonly key: "item"; readonly value: number }>>();
      expectTypeOf<Subscription<1>>().toExtend<Subscription<number>>();
      // @ts-expect-error the policy is named
      new Broadcast<number>({ capacity: 1 });
    };
    expect(check).toBeTypeOf("function");
  });
});
