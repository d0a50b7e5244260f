import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
  WouldBlock,
} from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { drain, waiting, watch } from "./support.js";

const RUNTIMES = [
  ["in simulated time", simulate],
  ["in production", run],
] as const;

describe.each(RUNTIMES)("CH10, %s:", (_, go) => {
  test("who gave up waiting gets nothing: what is sent then stays in the channel", async () => {
    await go(async () => {
      const { send, receive } = openMemoryChannel<string>(1);
      expect(await moveOnAfter(5, () => receive.receive())).toBe(undefined);
      expect(waiting(send)).toEqual([0, 0, 0]);
      await send.send("kept");
      expect(receive.receiveNowait()).toBe("kept");
    });
  });

  test("a send that was cancelled has not sent", async () => {
    await go(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<string>(capacity);
        for (let i = 0; i < capacity; i++) send.sendNowait("before");
        await moveOnAfter(5, () => send.send("never"));
        expect(waiting(send)).toEqual([0, capacity, 0]);
        expect(drain(receive)).toEqual(capacity === 0 ? [] : ["before"]);
      }
    });
  });

  test("in a cancelled scope nothing is sent or received, although it could be", async () => {
    await go(async () => {
      const { send, receive } = openMemoryChannel<string>(2);
      send.sendNowait("there");
      const errors: unknown[] = [];
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        for (const call of [() => send.send("never"), () => receive.receive()]) await call().catch((error) => errors.push(error));
      });
      expect(errors).toEqual([expect.any(Cancelled), expect.any(Cancelled)]);
      expect(drain(receive)).toEqual(["there"]);
    });
  });

  test("what was done before the cancellation is delivered, also in the same breath", async () => {
    await go(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<string>(capacity);
        const got: unknown[] = [];
        const scope = new CancelScope();
        const consuming = scope.run(async () => got.push(await receive.receive()));
        send.sendNowait("item");
        scope.cancel();
        await consuming;
        expect([got, scope.cancelledCaught]).toEqual([["item"], false]);

        for (let i = 0; i < capacity; i++) send.sendNowait("full");
        const other = new CancelScope();
        const producing = other.run(async () => got.push(await send.send("sent")));
        const items = drain(receive);
        other.cancel();
        await producing;
        expect([got, other.cancelledCaught]).toEqual([["item", undefined], false]);
        expect(items).toEqual(capacity === 0 ? ["sent"] : ["full", "sent"]);
      }
    });
  });

  test("and what needed no wait is delivered, although it is cancelled before it goes on", async () => {
    await go(async () => {
      const { send, receive } = openMemoryChannel<string>(1);
      const got: unknown[] = [];
      await new CancelScope().run(async (scope) => {
        const sent = send.send("item");
        scope.cancel();
        got.push(await sent);
      });
      await new CancelScope().run(async (scope) => {
        const received = receive.receive();
        scope.cancel();
        got.push(await received);
      });
      expect(got).toEqual([undefined, "item"]);
    });
  });

  test("one who waits is passed over if it is cancelled in the same breath in which an item is sent, but before", async () => {
    await go(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      const scope = new CancelScope();
      const first = watch(scope.run(() => receive.receive()));
      const second = watch(receive.receive());
      scope.cancel();
      send.sendNowait("item");
      await sleep(1);
      expect([first.outcome, second.outcome]).toEqual([{ value: undefined }, { value: "item" }]);
    });
  });
});

describe("CP1: what is synchronous is no checkpoint:", () => {
  test("it works in a cancelled scope, and nobody else goes on meanwhile", async () => {
    const log: string[] = [];
    await simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<number>(1);
      nursery.startSoon(() => log.push("another task"));
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        send.sendNowait(1);
        expect(thrownBy(() => send.sendNowait(2))).toBeInstanceOf(WouldBlock);
        expect(receive.receiveNowait()).toBe(1);
        expect(thrownBy(() => receive.receiveNowait())).toBeInstanceOf(WouldBlock);
        for (const end of [send.clone(), receive.clone(), send, receive]) {
          end.statistics();
          end.close();
        }
        log.push("done");
      });
    });
    expect(log).toEqual(["done", "another task"]);
  });
});

describe("CP2: every asynchronous operation is a full checkpoint, also if it need not wait:", () => {
  const operations = {
    "send()": () => {
      const { send } = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
      return () => send.send(1);
    },
    "receive()": () => {
      const { send, receive } = openMemoryChannel<number>(9);
      for (let i = 0; i < 9; i++) send.sendNowait(i);
      return () => receive.receive();
    },
    "for await, item by item": () => {
      const { send, receive } = openMemoryChannel<number>(9);
      for (let i = 0; i < 9; i++) send.sendNowait(i);
      const items = receive[Symbol.asyncIterator]();
      return () => items.next();
    },
    "for await, at the end": () => {
      const { send, receive } = openMemoryChannel<number>(0);
      send.close();
      return () => receive[Symbol.asyncIterator]().next();
    },
  };

  test.each(Object.entries(operations))("%s", async (_, make) => {
    await simulate(async () => {
      const log: string[] = [];
      await openNursery((nursery) => {
        for (const who of ["a", "b"]) {
          const operation = make();
          nursery.startSoon(async () => {
            for (let i = 0; i < 3; i++) {
              await operation();
              log.push(who);
            }
          });
        }
      });
      expect(log).toEqual(["a", "b", "a", "b", "a", "b"]);
      const operation = make();
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        await operation();
        expect.unreachable();
      });
      await checkpoint();
    });
  });
});
