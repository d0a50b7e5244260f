import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  Event,
  moveOnAfter,
  now,
  openMemoryChannel,
  openNursery,
  run,
  type Selectable,
  select,
  selectFair,
  sleep,
  sleepForever,
  TaskCancelledError,
  timeout,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { BROKEN, CLOSED_TO_RECEIVE, CLOSED_TO_SEND, drain, ENDED, waiting, watch } from "./support.js";

const boom = new Error("boom");

function setEvent(): Event {
  const event = new Event();
  event.set();
  return event;
}

describe.each([
  ["select()", select],
  ["selectFair()", selectFair],
])("%s", (_, select) => {
  describe("of one case is that operation:", () => {
    test("receives what is there, or what is sent later", async () => {
      await simulate(async () => {
        const { send, receive } = openMemoryChannel<string>(1);
        send.sendNowait("there");
        expect(await select({ item: receive })).toEqual({ key: "item", value: "there" });
        const later = watch(select({ item: receive }));
        await sleep(5);
        expect(later.outcome).toBe("pending");
        send.sendNowait("later");
        await checkpoint();
        expect(later.outcome).toEqual({ value: { key: "item", value: "later" } });
      });
    });

    test("sends to whoever waits, into the buffer, or when there is room", async () => {
      await simulate(async () => {
        for (const capacity of [0, 1]) {
          const { send, receive } = openMemoryChannel<string>(capacity);
          const received = watch(receive.receive());
          expect(await select({ sent: send.sending("a") })).toEqual({ key: "sent", value: undefined });
          await checkpoint();
          expect(received.outcome).toEqual({ value: "a" });
          if (capacity > 0) await select({ sent: send.sending("b") });
          const later = watch(select({ sent: send.sending("c") }));
          await sleep(5);
          expect([later.outcome, waiting(send)]).toEqual(["pending", [1, capacity, 0]]);
          expect(drain(receive)).toEqual(capacity > 0 ? ["b", "c"] : ["c"]);
          await checkpoint();
          expect(later.outcome).toEqual({ value: { key: "sent", value: undefined } });
        }
      });
    });

    test("waits for an event", async () => {
      await simulate(async (nursery) => {
        expect(await select({ ready: setEvent() })).toEqual({ key: "ready", value: undefined });
        const event = new Event();
        nursery.startSoon(() => sleep(5).then(() => event.set()));
        expect([await select({ ready: event }), now()]).toEqual([{ key: "ready", value: undefined }, 5]);
      });
    });

    test("joins a task that has ended, or will", async () => {
      await simulate(async (nursery) => {
        const task = nursery.startSoon(() => sleep(5).then(() => "value"));
        expect([await select({ task }), now()]).toEqual([{ key: "task", value: "value" }, 5]);
        expect([await select({ task }), now()]).toEqual([{ key: "task", value: "value" }, 5]);
      });
    });

    test("waits for a time", async () => {
      await simulate(async () => {
        expect([await select({ late: timeout(7) }), now()]).toEqual([{ key: "late", value: undefined }, 7]);
        expect([await select({ late: timeout(0) }), now()]).toEqual([{ key: "late", value: undefined }, 7]);
      });
    });
  });

  test("what loses has had no effect, and waits for nothing any more", async () => {
    await simulate(async (nursery) => {
      const [a, b, full] = [openMemoryChannel<string>(0), openMemoryChannel<string>(0), openMemoryChannel<string>(0)];
      const event = new Event();
      const task = nursery.startSoon(() => sleep(10));
      const chosen = watch(
        select({ a: a.receive, b: b.receive, or: b.receive.orEnd, sent: full.send.sending("x"), event, task, late: timeout(20) }),
      );
      await sleep(1);
      const all = () => [...[a, b, full].map(({ send }) => waiting(send)), event.statistics().tasksWaiting];
      expect(all()).toEqual([[0, 0, 1], [0, 0, 2], [1, 0, 0], 1]);
      b.send.sendNowait("item");
      expect(all()).toEqual([[0, 0, 0], [0, 0, 0], [0, 0, 0], 0]);
      await checkpoint();
      expect(chosen.outcome).toEqual({ value: { key: "b", value: "item" } });
      await sleep(100);
      expect([await moveOnAfter(1, () => full.receive.receive()), task.state]).toEqual([undefined, "done"]);
    });
  });

  test("a select that is cancelled has done nothing", async () => {
    await simulate(async () => {
      const [a, b] = [openMemoryChannel<string>(0), openMemoryChannel<string>(0)];
      const event = new Event();
      const scope = new CancelScope();
      const call = watch(scope.run(() => select({ a: a.receive, b: b.send.sending("x"), event, late: timeout(50) })));
      await sleep(1);
      scope.cancel();
      expect([waiting(a.send), waiting(b.send), event.statistics().tasksWaiting]).toEqual([[0, 0, 0], [0, 0, 0], 0]);
      await checkpoint();
      expect(call.outcome).toEqual({ value: undefined });
      await new CancelScope().run(async (own) => {
        own.cancel();
        a.send.clone().close();
        const open = openMemoryChannel<string>(1);
        expect(await rejectionOf(select({ sent: open.send.sending("never") }))).toBe(own.signal.reason);
        expect(open.receive.statistics().currentBufferUsed).toBe(0);
      });
    });
  });

  test("what was done before the cancellation is delivered, in the same breath", async () => {
    for (const go of [run, simulate]) {
      await go(async () => {
        const { send, receive } = openMemoryChannel<string>(0);
        const scope = new CancelScope();
        let got: unknown;
        const waits = scope.run(async () => {
          got = await select({ item: receive, late: timeout(1e6) });
        });
        send.sendNowait("item");
        scope.cancel();
        await waits;
        expect([got, scope.cancelledCaught]).toEqual([{ key: "item", value: "item" }, false]);
      });
    }
  });

  test("stands in line as anybody else: first come, first served", async () => {
    await simulate(async () => {
      for (const capacity of [0, 2]) {
        const { send, receive } = openMemoryChannel<number>(capacity);
        const receiving = [
          watch<unknown>(receive.receive()),
          watch<unknown>(select({ item: receive })),
          watch<unknown>(receive.values().next()),
          watch<unknown>(select({ item: receive.orEnd })),
        ];
        for (let i = 0; i < 4; i++) send.sendNowait(i);
        await sleep(1);
        const chosen = (value: unknown) => ({ value: { key: "item", value } });
        expect(receiving.map(({ outcome }) => outcome)).toEqual([
          { value: 0 },
          chosen(1),
          { value: { done: false, value: 2 } },
          chosen({ done: false, value: 3 }),
        ]);
        for (let i = 0; i < capacity; i++) send.sendNowait(-1);
        watch(send.send(0));
        watch(select({ sent: send.sending(1) }));
        watch(send.send(2));
        expect(drain(receive).slice(capacity)).toEqual([0, 1, 2]);
      }
    });
  });

  describe("throws what the chosen operation throws:", () => {
    const cases: Readonly<Record<string, (isLater: boolean) => Promise<unknown>>> = {
      EndOfChannel: async (isLater) => {
        const { send, receive } = openMemoryChannel<string>(1);
        if (!isLater) send.close();
        const error = rejectionAs(EndOfChannel, select({ item: receive, late: timeout(9) }));
        await sleep(1);
        send.close();
        expect(await error).toEqual(new EndOfChannel(ENDED));
      },
      "ClosedResourceError of its own receive end": async (isLater) => {
        for (const of of [
          (end: Selectable<unknown> & { readonly orEnd: Selectable<unknown> }) => end,
          (end: { readonly orEnd: Selectable<unknown> }) => end.orEnd,
        ]) {
          const { receive } = openMemoryChannel<string>(1);
          if (!isLater) receive.close();
          const error = rejectionAs(ClosedResourceError, select({ item: of(receive), late: timeout(9) }));
          await sleep(1);
          receive.close();
          expect(await error).toEqual(new ClosedResourceError(CLOSED_TO_RECEIVE));
        }
      },
      "ClosedResourceError of its own send end": async (isLater) => {
        const { send } = openMemoryChannel<string>(0);
        if (!isLater) send.close();
        const error = rejectionAs(ClosedResourceError, select({ sent: send.sending("x"), late: timeout(9) }));
        await sleep(1);
        send.close();
        expect(await error).toEqual(new ClosedResourceError(CLOSED_TO_SEND));
      },
      BrokenResourceError: async (isLater) => {
        const { send, receive } = openMemoryChannel<string>(0);
        if (!isLater) receive.close();
        const error = rejectionOf(select({ sent: send.sending("x"), late: timeout(9) }));
        await sleep(1);
        receive.close();
        expect(await error).toMatchObject({ name: "BrokenResourceError", message: BROKEN });
      },
      "the very error of a task": async (isLater) => {
        let error: Promise<unknown> | undefined;
        const outcome = openNursery(async (nursery) => {
          const task = nursery.startSoon(() => sleep(5).then(() => Promise.reject(boom)));
          if (isLater) error = rejectionOf(select({ task, late: timeout(9) }));
          else {
            await sleepForever().catch(() => {});
            error = new CancelScope({ shield: true }).run(() => rejectionOf(select({ task })));
          }
          await error;
        });
        expect(await rejectionOf(outcome)).toBe(boom);
        expect(await error).toBe(boom);
      },
      "TaskCancelledError, for it is somebody else's cancellation": async (isLater) => {
        await openNursery(async (nursery) => {
          const task = nursery.startSoon(() => sleepForever());
          if (!isLater) {
            task.cancel();
            await sleep(1);
          }
          const error = rejectionOf(select({ task, late: timeout(9) }));
          await sleep(1);
          task.cancel();
          expect(await error).toBeInstanceOf(TaskCancelledError);
          expect(await error).not.toBeInstanceOf(Cancelled);
        });
      },
    };

    test.each(
      Object.entries(cases).flatMap(([name, of]) => [false, true].map((isLater) => [name, isLater ? "later" : "at once", of] as const)),
    )("%s, %s", async (_, when, of) => {
      await simulate(() => of(when === "later"));
    });
  });

  test("orEnd: the end of the channel is a result, at once and later", async () => {
    await simulate(async () => {
      const { send, receive } = openMemoryChannel<string>(1);
      send.sendNowait("item");
      expect(await select({ next: receive.orEnd })).toEqual({ key: "next", value: { done: false, value: "item" } });
      const later = watch(select({ next: receive.orEnd }));
      send.close();
      await checkpoint();
      const end = { key: "next", value: { done: true, value: undefined } };
      expect(later.outcome).toEqual({ value: end });
      expect(await select({ next: receive.orEnd })).toEqual(end);
    });
  });

  test("a task that it joins has been joined: what it returned is not disposed", async () => {
    for (const wait of [0, 10]) {
      let disposed = 0;
      await simulate(async () => {
        const scope = new CancelScope();
        await scope.run(() =>
          openNursery(async (nursery) => {
            const task = nursery.startSoon(() => sleep(5).then(() => ({ [Symbol.dispose]: () => disposed++ })));
            await sleep(wait);
            await select({ task });
            scope.cancel();
          }),
        );
      });
      expect(disposed).toBe(0);
    }
  });
});
