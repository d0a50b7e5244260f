import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  sleep,
  sleepForever,
  WouldBlock,
} from "../../src/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { BROKEN, CLOSED_TO_CLONE, CLOSED_TO_RECEIVE, CLOSED_TO_SEND, ENDED, waiting, watch } from "./support.js";

const CAPACITIES = [0, 1, 3, Number.POSITIVE_INFINITY];

describe("CH4: when its own side has closed it,", () => {
  test("a send end refuses everything", async () => {
    await simulate(async () => {
      for (const capacity of CAPACITIES) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const other = send.clone();
        send.close();
        expect(send.isClosed).toBe(true);
        for (const error of [await rejectionOf(send.send(1)), thrownBy(() => send.sendNowait(1))]) {
          expect(error).toBeInstanceOf(ClosedResourceError);
          expect(error).toEqual(new ClosedResourceError(CLOSED_TO_SEND));
        }
        expect(thrownBy(() => send.clone())).toEqual(new ClosedResourceError(CLOSED_TO_CLONE));
        // Although somebody waits for what it would send, and also when nobody would take it.
        const received = watch(receive.receive());
        expect(await rejectionOf(send.send(1))).toBeInstanceOf(ClosedResourceError);
        other.sendNowait(2);
        receive.close();
        expect(await rejectionOf(send.send(1))).toBeInstanceOf(ClosedResourceError);
        await checkpoint();
        expect(received.outcome).toEqual({ value: 2 });
        expect(send.statistics()).toMatchObject({ openSendChannels: 1 });
      }
    });
  });

  test("a receive end refuses everything", async () => {
    await simulate(async () => {
      for (const capacity of CAPACITIES) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const other = receive.clone();
        const sent = watch(send.send(1));
        receive.close();
        expect(receive.isClosed).toBe(true);
        for (const error of [
          await rejectionOf(receive.receive()),
          thrownBy(() => receive.receiveNowait()),
          await rejectionOf(receive[Symbol.asyncIterator]().next()),
        ]) {
          expect(error).toBeInstanceOf(ClosedResourceError);
          expect(error).toEqual(new ClosedResourceError(CLOSED_TO_RECEIVE));
        }
        expect(thrownBy(() => receive.clone())).toEqual(new ClosedResourceError(CLOSED_TO_CLONE));
        expect(other.receiveNowait()).toBe(1);
        send.close();
        // Also where there is nothing more to receive.
        expect(await rejectionOf(receive.receive())).toBeInstanceOf(ClosedResourceError);
        expect(await rejectionOf(other.receive())).toBeInstanceOf(EndOfChannel);
        await checkpoint();
        expect(sent.outcome).toEqual({ value: undefined });
        expect(other.statistics()).toMatchObject({ openReceiveChannels: 1 });
      }
    });
  });

  test("calls that wait on it throw, and have had no effect", async () => {
    await simulate(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const other = send.clone();
        for (let i = 0; i < capacity; i++) send.sendNowait(-1);
        const calls = [1, 2].map((i) => watch(send.send(i)));
        send.close();
        expect(waiting(other)).toEqual([0, capacity, 0]);
        await checkpoint();
        for (const { outcome } of calls) expect(outcome).toEqual({ error: new ClosedResourceError(CLOSED_TO_SEND) });
        for (let i = 0; i < capacity; i++) expect(receive.receiveNowait()).toBe(-1);
        const receiving = [receive.receive(), receive[Symbol.asyncIterator]().next()].map((call) => watch<unknown>(call));
        receive.close();
        await checkpoint();
        for (const { outcome } of receiving) expect(outcome).toEqual({ error: new ClosedResourceError(CLOSED_TO_RECEIVE) });
        expect(waiting(other)).toEqual([0, 0, 0]);
      }
    });
  });

  test("closing it again has no effect", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(1);
      const [senders, receivers] = [send.clone(), receive.clone()];
      for (let i = 0; i < 3; i++) {
        send.close();
        receive.close();
        send[Symbol.dispose]();
        receive[Symbol.dispose]();
      }
      expect(senders.statistics()).toMatchObject({ openSendChannels: 1, openReceiveChannels: 1 });
      await senders.send(1);
      expect(await receivers.receive()).toBe(1);
    });
  });
});

describe("CH5: when all send ends are closed,", () => {
  test("what is left is received, then EndOfChannel", async () => {
    await simulate(async () => {
      for (const capacity of [1, 3, Number.POSITIVE_INFINITY]) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const items = Array.from({ length: Math.min(capacity, 5) }, (_, i) => i);
        for (const item of items) send.sendNowait(item);
        send.close();
        for (const item of items) expect(await receive.receive()).toBe(item);
        for (let i = 0; i < 2; i++) {
          for (const error of [await rejectionOf(receive.receive()), thrownBy(() => receive.receiveNowait())]) {
            expect(error).toBeInstanceOf(EndOfChannel);
            expect(error).toEqual(new EndOfChannel(ENDED));
          }
        }
        expect(await receive[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
      }
    });
  });

  test("those who wait to receive get it, too, each an error of its own", async () => {
    await simulate(async () => {
      for (const capacity of [0, 2]) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const own = receive.clone();
        const calls = [receive.receive(), receive.receive(), own.receive()].map(watch);
        const iterating = watch(own[Symbol.asyncIterator]().next());
        send.close();
        expect(waiting(receive)).toEqual([0, 0, 0]);
        await checkpoint();
        for (const { outcome } of calls) expect(outcome).toEqual({ error: new EndOfChannel(ENDED) });
        expect(new Set(calls.map(({ outcome }) => (outcome as { readonly error: unknown }).error)).size).toBe(3);
        expect(iterating.outcome).toEqual({ value: { done: true, value: undefined } });
      }
    });
  });

  test("and R3: two tasks that fail by it are two failures", async () => {
    for (const [end, type] of [
      ["send", EndOfChannel],
      ["receive", BrokenResourceError],
    ] as const) {
      await simulate(async () => {
        const channel = openMemoryChannel<number>(0);
        const error = await rejectionOf(
          openNursery(async (nursery) => {
            for (let i = 0; i < 2; i++) {
              nursery.startSoon<unknown>(() => (end === "send" ? channel.receive.receive() : channel.send.send(i)));
            }
            await sleep(1);
            channel[end].close();
          }),
        );
        const { errors } = error as AggregateError;
        expect(errors).toEqual([expect.any(type), expect.any(type)]);
      });
    }
  });

  test("so several producers end the stream together, when each has closed its own clone", async () => {
    for (const capacity of CAPACITIES) {
      await simulate(async (nursery) => {
        const { send, receive } = openMemoryChannel<string>(capacity);
        for (const name of ["a", "b", "c"]) {
          const own = send.clone();
          nursery.startSoon(async () => {
            using items = own;
            for (let i = 0; i < 3; i++) await items.send(name + i);
          });
        }
        send.close();
        const got: string[] = [];
        for await (const item of receive) got.push(item);
        expect([...got].sort()).toEqual(["a0", "a1", "a2", "b0", "b1", "b2", "c0", "c1", "c2"]);
      });
    }
  });
});

describe("CH6: when all receive ends are closed,", () => {
  test("senders throw, those who wait and those who come, and what is in the buffer is dropped", async () => {
    await simulate(async () => {
      for (const capacity of CAPACITIES) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const full = Math.min(capacity, 5);
        for (let i = 0; i < full; i++) send.sendNowait(i);
        const sending = capacity === Number.POSITIVE_INFINITY ? [] : [1, 2].map((i) => watch(send.send(i)));
        expect(waiting(send)).toEqual([sending.length, full, 0]);
        receive.close();
        expect(waiting(send)).toEqual([0, 0, 0]);
        await checkpoint();
        const errors = sending.map(({ outcome }) => (outcome as { readonly error: unknown }).error);
        expect(new Set(errors).size).toBe(sending.length);
        for (const error of [...errors, await rejectionOf(send.send(1)), thrownBy(() => send.sendNowait(1))]) {
          expect(error).toBeInstanceOf(BrokenResourceError);
          expect(error).toEqual(new BrokenResourceError(BROKEN));
        }
        // A clone of an open end is open, however broken.
        expect(await rejectionOf(send.clone().send(1))).toBeInstanceOf(BrokenResourceError);
      }
    });
  });
});

describe("CH7: clones are counted, and closing one", () => {
  test("ends the calls on it, and none on the others", async () => {
    await simulate(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<string>(capacity);
        for (let i = 0; i < capacity; i++) send.sendNowait("full");
        const [a, b] = [send.clone(), send.clone()];
        const calls = [a.send("a0"), b.send("b0"), a.send("a1"), send.send("s"), b.send("b1")].map(watch);
        a.close();
        expect(send.statistics()).toMatchObject({ openSendChannels: 2, tasksWaitingSend: 3 });
        send.close();
        for (let i = 0; i < capacity; i++) receive.receiveNowait();
        expect([receive.receiveNowait(), receive.receiveNowait()]).toEqual(["b0", "b1"]);
        await checkpoint();
        const closed = { error: new ClosedResourceError(CLOSED_TO_SEND) };
        const done = { value: undefined };
        expect(calls.map(({ outcome }) => outcome)).toEqual([closed, done, closed, closed, done]);
        expect(thrownBy(() => receive.receiveNowait())).toBeInstanceOf(WouldBlock);
        b.close();
        expect(thrownBy(() => receive.receiveNowait())).toBeInstanceOf(EndOfChannel);
      }
    });
  });

  test("for receivers, too", async () => {
    await simulate(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<string>(capacity);
        const [a, b] = [receive.clone(), receive.clone()];
        const calls = [a.receive(), b.receive(), a.receive(), receive.receive(), b.receive()].map(watch);
        a.close();
        receive.close();
        expect(send.statistics()).toMatchObject({ openReceiveChannels: 1, tasksWaitingReceive: 2 });
        for (const item of ["x", "y"]) send.sendNowait(item);
        await checkpoint();
        const closed = { error: new ClosedResourceError(CLOSED_TO_RECEIVE) };
        expect(calls.map(({ outcome }) => outcome)).toEqual([closed, { value: "x" }, closed, closed, { value: "y" }]);
        b.close();
        expect(thrownBy(() => send.sendNowait("z"))).toBeInstanceOf(BrokenResourceError);
      }
    });
  });

  test("a clone of a clone is one of all; the first may be closed before", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(1);
      const clone = send.clone();
      send.close();
      const third = clone.clone();
      clone.close();
      expect(third.statistics().openSendChannels).toBe(1);
      await third.send(1);
      expect(await receive.receive()).toBe(1);
    });
  });
});

describe("CH9: close() is synchronous, and", () => {
  test("no checkpoint: it works in a cancelled scope and outside of any run", async () => {
    const { send, receive } = openMemoryChannel<number>(0);
    send.close();
    receive.close();
    expect(send.statistics()).toMatchObject({ openSendChannels: 0, openReceiveChannels: 0 });
    await simulate(() =>
      new CancelScope().run((scope) => {
        scope.cancel();
        const { send, receive } = openMemoryChannel<number>(0);
        expect([send.close(), receive.close()]).toEqual([undefined, undefined]);
        expect([send.isClosed, receive.isClosed]).toEqual([true, true]);
      }),
    );
  });

  test("`using` closes, at the end and when it is left by an error", async () => {
    const { send, receive } = openMemoryChannel<number>(0);
    const clones = [send.clone(), receive.clone()];
    for (const end of clones) {
      const boom = new Error("boom");
      expect(
        thrownBy(() => {
          using _end = end;
          throw boom;
        }),
      ).toBe(boom);
    }
    {
      using _send = send;
      using _receive = receive;
    }
    expect([send, receive, ...clones].map(({ isClosed }) => isClosed)).toEqual([true, true, true, true]);
  });
});

describe("CH12: disposing of an end takes nothing away:", () => {
  test("an error that goes through its block in a cancelled task is not replaced by a cancellation", async () => {
    const boom = new Error("boom");
    const error = await simulate(async (nursery) => {
      nursery.startSoon(async (task) => {
        const { send, receive } = openMemoryChannel<number>(0);
        using _send = send;
        using _receive = receive;
        task.cancel();
        await sleepForever().catch(() => {});
        throw boom;
      });
    }).catch((thrown: unknown) => thrown);
    expect(error).toBe(boom);
  });

  test("a cancellation stays one", async () => {
    await simulate(async () => {
      const { send } = openMemoryChannel<number>(0);
      const value = await moveOnAfter(5, async () => {
        using _send = send;
        await sleepForever();
        return "not cut off";
      });
      expect([value, send.isClosed]).toEqual([undefined, true]);
    });
  });
});
