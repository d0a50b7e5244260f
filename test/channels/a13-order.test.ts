import { describe, expect, test } from "vitest";
import { CancelScope, openMemoryChannel, run, sleep, WouldBlock } from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { type Call, drain, waiting, watch } from "./support.js";

const isWouldBlock = (call: () => unknown) => thrownBy(call) instanceof WouldBlock;

/** Waits in a scope of its own. */
function inScope<T>(wait: (scope: CancelScope) => Promise<T>): { readonly scope: CancelScope; readonly call: Call<T> } {
  const scope = new CancelScope();
  let call: Call<T> | undefined;
  void scope.run(() => {
    const promise = wait(scope);
    call = watch(promise);
    return promise;
  });
  return { scope, call: call as Call<T> };
}

describe("CH3, FA3: no barging:", () => {
  test("an item that is sent while somebody waits is that one's at once", async () => {
    await simulate(async () => {
      for (const capacity of [0, 1, 5]) {
        const { send, receive } = openMemoryChannel<string>(capacity);
        const first = watch(receive.receive());
        await send.send("a");
        expect(waiting(send)).toEqual([0, 0, 0]);
        expect(isWouldBlock(() => receive.receiveNowait())).toBe(true);
        await sleep(1);
        expect(first.outcome).toEqual({ value: "a" });
      }
    });
  });

  test("a place that becomes free belongs to the longest waiting sender at once", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(1);
      await send.send("a");
      const sent = ["b", "c"].map((item) => watch(send.send(item)));
      expect(receive.receiveNowait()).toBe("a");
      expect(isWouldBlock(() => send.sendNowait("x"))).toBe(true);
      expect(waiting(send)).toEqual([1, 1, 0]);
      await sleep(1);
      expect(sent.map((call) => call.outcome)).toEqual([{ value: undefined }, "pending"]);
      expect([receive.receiveNowait(), receive.receiveNowait()]).toEqual(["b", "c"]);
    });
  });

  test("who comes later waits behind, although there seems to be an item or room", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      const calls = ["first", "second", "third"].map(() => watch(receive.receive()));
      for (const item of ["a", "b", "c"]) send.sendNowait(item);
      const late = watch(receive.receive());
      await sleep(1);
      expect(calls.map((call) => call.outcome)).toEqual([{ value: "a" }, { value: "b" }, { value: "c" }]);
      expect(late.outcome).toBe("pending");
    });
  });
});

describe("FA1: contenders repeat in the order in which they came first:", () => {
  const rounds = [0, 1, 2, 0, 1, 2, 0, 1, 2];

  for (const [name, go] of [
    ["in simulated time", simulate],
    ["in production", run],
  ] as const) {
    for (const capacity of [0, 1, 2]) {
      test(`senders, capacity ${capacity}, ${name}`, async () => {
        const got: number[] = [];
        await go(async (nursery) => {
          const { send, receive } = openMemoryChannel<number>(capacity);
          for (let i = 0; i < capacity; i++) send.sendNowait(-1);
          for (const who of [0, 1, 2]) {
            nursery.startSoon(async () => {
              for (let i = 0; i < 3; i++) await send.send(who);
            });
          }
          await sleep(1);
          for (let i = 0; i < 9 + capacity; i++) {
            got.push(await receive.receive());
            await sleep(0);
          }
        });
        expect(got.slice(capacity)).toEqual(rounds);
      });

      test(`receivers, capacity ${capacity}, ${name}`, async () => {
        const got: number[] = [];
        await go(async (nursery) => {
          const { send, receive } = openMemoryChannel<number>(capacity);
          for (const who of [0, 1, 2]) {
            nursery.startSoon(async () => {
              for (let i = 0; i < 3; i++) {
                await receive.receive();
                got.push(who);
              }
            });
          }
          await sleep(1);
          for (let i = 0; i < 9; i++) {
            await send.send(i);
            await sleep(0);
          }
        });
        expect(got).toEqual(rounds);
      });
    }
  }
});

describe("FA5: who is cancelled leaves the queue, and the others keep their order:", () => {
  test("receivers", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(0);
      const waits = [0, 1, 2, 3, 4].map(() => inScope((scope) => receive.receive(scope)));
      for (const i of [2, 0, 4]) waits[i]?.scope.cancel();
      expect(waiting(send)).toEqual([0, 0, 2]);
      for (let i = 0; i < 2; i++) send.sendNowait(i);
      await sleep(1);
      const reasonOf = (i: number) => ({ error: waits[i]?.scope.signal.reason });
      expect(waits.map(({ call }) => call.outcome)).toEqual([reasonOf(0), { value: 0 }, reasonOf(2), { value: 1 }, reasonOf(4)]);
    });
  });

  test("senders: what they would have sent is not sent", async () => {
    await simulate(async () => {
      for (const capacity of [0, 1]) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        for (let i = 0; i < capacity; i++) send.sendNowait(-1);
        const waits = [0, 1, 2, 3, 4].map((i) => inScope((scope) => send.send(i, scope)));
        for (const i of [2, 0, 4]) waits[i]?.scope.cancel();
        expect(waiting(send)).toEqual([2, capacity, 0]);
        expect(drain(receive).slice(capacity)).toEqual([1, 3]);
      }
    });
  });
});

test("FA8: one item wakes one receiver, and one free place one sender", async () => {
  await simulate(async () => {
    const { send, receive } = openMemoryChannel<number>(1);
    const receiving = [0, 1, 2].map(() => watch(receive.receive()));
    send.sendNowait(0);
    expect(waiting(send)).toEqual([0, 0, 2]);
    await sleep(1);
    expect(receiving.filter(({ outcome }) => outcome !== "pending")).toHaveLength(1);
    for (let i = 1; i < 4; i++) send.sendNowait(i);
    const sending = [4, 5, 6].map((i) => watch(send.send(i)));
    receive.receiveNowait();
    expect(waiting(send)).toEqual([2, 1, 0]);
    await sleep(1);
    expect(sending.filter(({ outcome }) => outcome !== "pending")).toHaveLength(1);
  });
});

describe("CH8: several consumers share the items:", () => {
  test("each goes to one of them, and all of them get some", async () => {
    for (const capacity of [0, 1, 3]) {
      const got: number[][] = [[], [], []];
      await simulate((nursery) => {
        const { send, receive } = openMemoryChannel<number>(capacity);
        for (const list of got) {
          const own = receive.clone();
          nursery.startSoon(async () => {
            for await (const item of own) list.push(item);
          });
        }
        receive.close();
        nursery.startSoon(async () => {
          using items = send;
          for (let i = 0; i < 30; i++) await items.send(i);
        });
      });
      expect(got.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      for (const list of got) {
        expect(list.length).toBeGreaterThan(0);
        expect(list).toEqual([...list].sort((a, b) => a - b));
      }
    }
  });
});
