import { describe, expect, test } from "vitest";
import { checkpoint, Event, type MemoryReceiveChannel, openMemoryChannel, run } from "../../src/index.js";
import { watchRuntimes } from "../rules/r12-runtime-watch.js";

// Who goes on first after a hand-over is promised to nobody, but it is what makes a channel with a buffer fast: docs/decisions/10.

/** How many times somebody had to wait while a producer and a consumer passed items on, as fast as they could. */
async function waits(capacity: number, items: number): Promise<number> {
  const { waiters } = await watchRuntimes(() =>
    run(async (nursery) => {
      const { send, receive } = openMemoryChannel<number>(capacity);
      nursery.startSoon(async () => {
        for (let i = 0; i < items; i++) await send.send(i);
      });
      for (let i = 0; i < items; i++) expect(await receive.receive()).toBe(i);
    }),
  );
  return waiters.filter(({ op }) => op === "send" || op === "receive").length;
}

describe("in production", () => {
  test("a producer and a consumer in step do not wait at each item of a channel with a buffer", async () => {
    expect(await waits(16, 1_000)).toBeLessThan(100);
  });

  test("without a buffer one of them waits at each item, and not both", async () => {
    const count = await waits(0, 1_000);
    expect(count).toBeGreaterThanOrEqual(999);
    expect(count).toBeLessThan(1_100);
  });

  const receive = (end: MemoryReceiveChannel<number>, got: () => void) => end.receive().then(got);
  const loop = async (end: MemoryReceiveChannel<number>, got: () => void) => {
    for await (const _ of end) got();
  };
  test.each([
    [1, "receive()", "sender, receiver, another, one more", receive],
    [0, "receive()", "receiver, sender, another, one more", receive],
    [1, "a loop", "sender, receiver, another, one more", loop],
    [0, "a loop", "receiver, sender, another, one more", loop],
  ] as const)("with capacity %d and %s they go on in this order: %s", async (capacity, _, order, taking) => {
    const orders: string[] = [];
    for (let round = 0; round < 50; round++) {
      const log: string[] = [];
      await run(async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const [event, other] = [new Event(), new Event()];
        nursery.startSoon(() => taking(receive, () => log.push("receiver")));
        nursery.startSoon(() => event.wait().then(() => log.push("another")));
        nursery.startSoon(() => other.wait().then(() => log.push("one more")));
        for (let i = 0; i < 3; i++) await checkpoint();
        const sent = send.send(1).then(() => log.push("sender"));
        event.set();
        other.set();
        await sent;
        send.close();
      });
      orders.push(log.join(", "));
    }
    // Not where a turn of the event loop happens to be due.
    expect(orders.filter((seen) => seen === order).length).toBeGreaterThan(25);
  });
});
