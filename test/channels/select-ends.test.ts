import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  Event,
  openMemoryChannel,
  select,
  selectFair,
  sleep,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { drain, waiting, watch } from "./support.js";

describe.each([
  ["select()", select],
  ["selectFair()", selectFair],
])("%s", (_, select) => {
  test("the same end, event or task may be named more than once: one of them is done, once", async () => {
    await simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<string>(0);
      const event = new Event();
      const task = nursery.startSoon(() => sleep(50));
      const item = watch(select({ a: receive, b: receive, c: receive.orEnd, event, again: event, task, too: task }));
      expect(waiting(send)).toEqual([0, 0, 3]);
      const next = watch(receive.receive());
      for (const item of ["x", "y"]) send.sendNowait(item);
      expect([waiting(send), event.statistics().tasksWaiting]).toEqual([[0, 0, 0], 0]);
      await checkpoint();
      expect([item.outcome, next.outcome]).toEqual([{ value: { key: "a", value: "x" } }, { value: "y" }]);

      const sending = watch(select({ a: send.sending("1"), b: send.sending("2") }));
      watch(send.send("3"));
      expect(drain(receive)).toEqual(["1", "3"]);
      await checkpoint();
      expect(sending.outcome).toEqual({ value: { key: "a", value: undefined } });

      const twice = watch(select({ task, again: task }));
      const both = watch(select({ event, again: event }));
      event.set();
      await sleep(100);
      expect(both.outcome).toEqual({ value: { key: "event", value: undefined } });
      expect(twice.outcome).toEqual({ value: { key: "task", value: undefined } });
    });
  });

  test("both ends of one channel: it does not deal with itself, but with the next who comes", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(0);
      const one = watch(select({ item: receive, sent: send.sending("of one") }));
      await sleep(5);
      expect([one.outcome, waiting(send)]).toEqual(["pending", [1, 0, 1]]);
      expect(await select({ item: receive })).toEqual({ key: "item", value: "of one" });
      await checkpoint();
      expect([one.outcome, waiting(send)]).toEqual([{ value: { key: "sent", value: undefined } }, [0, 0, 0]]);

      const other = watch(select({ sent: send.sending("of the other"), item: receive }));
      expect(await select({ sent: send.sending("x") })).toEqual({ key: "sent", value: undefined });
      await checkpoint();
      expect([other.outcome, waiting(send)]).toEqual([{ value: { key: "item", value: "x" } }, [0, 0, 0]]);
    });
  });

  test("both ends of one channel with a buffer: one of the two can always be done", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<number>(1);
      const done: string[] = [];
      for (let i = 0; i < 4; i++) done.push((await select({ item: receive, sent: send.sending(i) })).key);
      expect(done).toEqual(["sent", "item", "sent", "item"]);
    });
  });

  describe("an end that is closed while it stands in line for several cases", () => {
    test("ends it once, and nobody else but those on the same handle", async () => {
      await simulate(async () => {
        const { send, receive } = openMemoryChannel<string>(0);
        const [own, other] = [send.clone(), send.clone()];
        const calls = [
          watch<unknown>(select({ a: own.sending("a"), b: other.sending("b"), c: own.sending("c"), d: own.sending("d") })),
          watch<unknown>(other.send("1")),
          watch<unknown>(own.send("2")),
          watch<unknown>(select({ e: other.sending("e"), f: other.sending("f") })),
          watch<unknown>(select({ g: own.sending("g"), h: own.sending("h") })),
          watch<unknown>(own.send("3")),
          watch<unknown>(other.send("4")),
        ];
        expect(waiting(send)).toEqual([12, 0, 0]);
        own.close();
        expect(waiting(send)).toEqual([4, 0, 0]);
        await checkpoint();
        const closed = { error: expect.any(ClosedResourceError) };
        expect(calls.map(({ outcome }) => outcome)).toEqual([closed, "pending", closed, "pending", closed, closed, "pending"]);
        expect(drain(receive)).toEqual(["1", "e", "4"]);
      });
    });

    test("for receives as well", async () => {
      await simulate(async () => {
        const { send, receive } = openMemoryChannel<string>(1);
        const [own, other] = [receive.clone(), receive.clone()];
        const calls = [
          watch<unknown>(other.receive()),
          watch<unknown>(select({ a: own, b: other, c: own.orEnd })),
          watch<unknown>(select({ a: other, b: other.orEnd })),
          watch<unknown>(own.values().next()),
          watch<unknown>(other.values().next()),
        ];
        own.close();
        expect(waiting(send)).toEqual([0, 0, 4]);
        for (const item of ["x", "y", "z"]) send.sendNowait(item);
        await checkpoint();
        const closed = { error: expect.any(ClosedResourceError) };
        expect(calls.map(({ outcome }) => outcome)).toEqual([
          { value: "x" },
          closed,
          { value: { key: "a", value: "y" } },
          closed,
          { value: { done: false, value: "z" } },
        ]);
      });
    });

    test("and when the last handle of the other side is closed", async () => {
      await simulate(async () => {
        const { send, receive } = openMemoryChannel<string>(0);
        const receiving = watch(select({ a: receive, b: receive.orEnd, c: receive.clone() }));
        const next = watch(select({ a: receive.orEnd, b: receive }));
        send.close();
        await checkpoint();
        expect(receiving.outcome).toEqual({ error: expect.any(EndOfChannel) });
        expect(next.outcome).toEqual({ value: { key: "a", value: { done: true, value: undefined } } });

        const other = openMemoryChannel<string>(0);
        const sending = watch(select({ a: other.send.sending("a"), b: other.send.clone().sending("b") }));
        other.receive.close();
        await checkpoint();
        expect(sending.outcome).toEqual({ error: expect.any(BrokenResourceError) });
        expect([waiting(send), waiting(other.send)]).toEqual([
          [0, 0, 0],
          [0, 0, 0],
        ]);
      });
    });
  });
});
