import { describe, expect, test } from "vitest";
import { checkpoint, MemoryReceiveChannel, MemorySendChannel, openMemoryChannel, sleep, WouldBlock } from "../../src/index.js";
import { thrownBy } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { waiting, watch } from "./support.js";

const FULL = new WouldBlock("there is no room in the channel, and nobody waits to receive");
const EMPTY = new WouldBlock("there is nothing in the channel, and nobody waits to send");

describe("CH1: the capacity of a channel", () => {
  test("is a whole number that is not negative, or Infinity; by default 0", () => {
    for (const capacity of [0, 1, 2, 1e9, Number.POSITIVE_INFINITY]) {
      expect(openMemoryChannel(capacity).send.statistics().maxBufferSize).toBe(capacity);
    }
    for (const { send } of [openMemoryChannel(), openMemoryChannel(undefined)]) expect(send.statistics().maxBufferSize).toBe(0);
  });

  test.each([
    [-1, new RangeError("the capacity of a channel is a whole number that is not negative, or Infinity, not -1")],
    [1.5, new RangeError("the capacity of a channel is a whole number that is not negative, or Infinity, not 1.5")],
    [Number.NaN, new RangeError("the capacity of a channel is a whole number that is not negative, or Infinity, not NaN")],
    [
      Number.NEGATIVE_INFINITY,
      new RangeError("the capacity of a channel is a whole number that is not negative, or Infinity, not -Infinity"),
    ],
    ["1", new TypeError('the capacity of a channel is a whole number, not "1"')],
    [null, new TypeError("the capacity of a channel is a whole number, not null")],
    [1n, new TypeError("the capacity of a channel is a whole number, not 1")],
    [{}, new TypeError("the capacity of a channel is a whole number, not an object")],
  ])("is not %s", (capacity, error) => {
    const thrown = thrownBy(() => openMemoryChannel(capacity as number));
    expect(thrown).toEqual(error);
    expect(thrown).toBeInstanceOf(error.constructor);
  });

  test("is how many items it takes before a send waits; Infinity: none ever does", async () => {
    await simulate(async () => {
      for (const capacity of [1, 2, 5]) {
        const { send } = openMemoryChannel<number>(capacity);
        for (let i = 0; i < capacity; i++) await send.send(i);
        expect(thrownBy(() => send.sendNowait(capacity))).toEqual(FULL);
        const more = watch(send.send(capacity));
        await sleep(1);
        expect([more.outcome, waiting(send)]).toEqual(["pending", [1, capacity, 0]]);
      }
      const { send, receive } = openMemoryChannel<number>(Number.POSITIVE_INFINITY);
      for (let i = 0; i < 10_000; i++) send.sendNowait(i);
      for (let i = 0; i < 10_000; i++) expect(receive.receiveNowait()).toBe(i);
    });
  });

  test("both ends come as a tuple and by name", () => {
    const channel = openMemoryChannel<string>(1);
    const [send, receive] = channel;
    expect(channel).toHaveLength(2);
    expect([channel.send, channel.receive]).toEqual([send, receive]);
    expect(channel.send).toBe(send);
    expect(channel.receive).toBe(receive);
    expect(send).toBeInstanceOf(MemorySendChannel);
    expect(receive).toBeInstanceOf(MemoryReceiveChannel);
  });
});

describe("CH2: without a buffer", () => {
  test("sendNowait() needs somebody who waits to receive, receiveNowait() somebody who waits to send", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      expect(thrownBy(() => send.sendNowait("a"))).toEqual(FULL);
      expect(thrownBy(() => receive.receiveNowait())).toEqual(EMPTY);
      const received = watch(receive.receive());
      send.sendNowait("b");
      expect(thrownBy(() => send.sendNowait("c"))).toEqual(FULL);
      const sent = watch(send.send("d"));
      expect(receive.receiveNowait()).toBe("d");
      expect(thrownBy(() => receive.receiveNowait())).toEqual(EMPTY);
      await sleep(1);
      expect([received.outcome, sent.outcome]).toEqual([{ value: "b" }, { value: undefined }]);
    });
  });

  test("send() waits until its item has been received, and receive() until one is sent", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      const sent = watch(send.send("a"));
      await sleep(5);
      expect(sent.outcome).toBe("pending");
      expect(await receive.receive()).toBe("a");
      await checkpoint();
      expect(sent.outcome).toEqual({ value: undefined });
      const received = watch(receive.receive());
      await sleep(5);
      expect(received.outcome).toBe("pending");
      await send.send("b");
      await checkpoint();
      expect(received.outcome).toEqual({ value: "b" });
    });
  });
});

describe("CH11: statistics()", () => {
  test("tell how much is in it, was at most, and may be, how many handles are open, and how many wait; the same at both ends", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(2);
      const expectBoth = (expected: object) => {
        for (const end of [send, receive, own]) expect(end.statistics()).toEqual(expected);
      };
      const own = send.clone();
      const fresh = {
        currentBufferUsed: 0,
        peakBufferUsed: 0,
        maxBufferSize: 2,
        openSendChannels: 2,
        openReceiveChannels: 1,
        tasksWaitingSend: 0,
        tasksWaitingReceive: 0,
      };
      expectBoth(fresh);
      for (let i = 0; i < 5; i++) watch(send.send(i));
      expectBoth({ ...fresh, currentBufferUsed: 2, peakBufferUsed: 2, tasksWaitingSend: 3 });
      for (let i = 0; i < 4; i++) expect(receive.receiveNowait()).toBe(i);
      expectBoth({ ...fresh, currentBufferUsed: 1, peakBufferUsed: 2 });
      for (let i = 0; i < 4; i++) watch(receive.receive());
      expectBoth({ ...fresh, peakBufferUsed: 2, tasksWaitingReceive: 3 });
      const other = receive.clone();
      own.close();
      expectBoth({ ...fresh, peakBufferUsed: 2, tasksWaitingReceive: 3, openSendChannels: 1, openReceiveChannels: 2 });
      for (const end of [send, receive, other]) end.close();
      expectBoth({ ...fresh, peakBufferUsed: 2, openSendChannels: 0, openReceiveChannels: 0 });
    });
  });

  test("count what goes from hand to hand as never having been in the buffer", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(3);
      watch(receive.receive());
      await send.send(1);
      expect(send.statistics()).toMatchObject({ currentBufferUsed: 0, peakBufferUsed: 0 });
      await send.send(2);
      expect(send.statistics()).toMatchObject({ currentBufferUsed: 1, peakBufferUsed: 1 });
    });
  });

  test("are those of the moment", () => {
    const { send } = openMemoryChannel<number>(1);
    const before = send.statistics();
    send.sendNowait(1);
    expect([before.currentBufferUsed, send.statistics().currentBufferUsed]).toEqual([0, 1]);
  });
});
