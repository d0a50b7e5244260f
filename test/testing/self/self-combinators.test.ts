import { expect } from "vitest";
import {
  all,
  allSettled,
  any,
  type CancelScope,
  every,
  forEach,
  hedge,
  map,
  mapStream,
  moveOnAfter,
  openMemoryChannel,
  poll,
  race,
  retry,
  sleep,
  staggered,
} from "../../../src/index.js";
import { holds, Usage } from "./self.js";

const boom = new Error("boom");

/** One task that calls it, and one that runs beside; whatever becomes of them, nothing it began goes on. */
function calls<T>(
  name: string,
  call: (work: (ms: number, value?: string) => Promise<string>, usage: Usage) => Promise<T>,
  result: unknown,
): void {
  holds(name, (nursery) => {
    const usage = new Usage();
    const work = (ms: number, value = `after ${ms}`) => usage.during(() => sleep(ms).then(() => value));
    let outcome: unknown;
    nursery.startSoon(
      async () => {
        outcome = await call(work, usage).catch((error: unknown) => {
          if (error !== boom) throw error;
          return error;
        });
      },
      { name: "caller" },
    );
    nursery.startSoon(() => sleep(2), { name: "other" });
    return {
      always: () => expect(usage.now).toBe(0),
      complete: () => expect(outcome).toEqual(result),
    };
  });
}

calls("all", (work) => all([() => work(1), () => work(2)]), ["after 1", "after 2"]);
calls("all with a failure", (work) => all([() => work(5), () => work(1).then(() => Promise.reject(boom))]), boom);
calls("allSettled", (work) => allSettled([() => work(1), () => work(2).then(() => Promise.reject(boom))]), [
  { status: "fulfilled", value: "after 1" },
  { status: "rejected", reason: boom },
]);
calls("any", (work) => any([() => work(1).then(() => Promise.reject(boom)), () => work(2), () => work(2)]), "after 2");
calls("race", (work) => race([() => work(1, "same"), () => work(2, "same")]), "same");
calls("map", (work) => map([3, 1, 2], (ms) => work(ms), { concurrency: 2 }), ["after 3", "after 1", "after 2"]);
calls(
  "retry",
  (work) => {
    let attempts = 0;
    return retry(() => work(1).then((value) => (++attempts < 3 ? Promise.reject(boom) : value)), { delay: 2, jitter: 0 });
  },
  "after 1",
);
calls("hedge", (work) => hedge(() => work(3), { delay: 1, attempts: 3 }), "after 3");
calls("staggered", (work) => staggered([() => work(3, "same"), () => work(1, "same")], { delay: 1 }), "same");
calls(
  "poll",
  (work) => {
    let times = 0;
    return poll(2, () => work(1).then(() => (++times < 3 ? undefined : "done")));
  },
  "done",
);
calls("every", (work) => moveOnAfter(5, () => every(2, () => work(1))).then(() => "over"), "over");

holds(
  "forEach over a channel",
  (nursery) => {
    const [send, receive] = openMemoryChannel<number>(1);
    const usage = new Usage();
    const seen: number[] = [];
    nursery.startSoon(
      async () => {
        using _ = send;
        for (let i = 0; i < 4; i++) await send.send(i);
      },
      { name: "producer" },
    );
    nursery.startSoon(
      async () => {
        using _ = receive;
        await forEach(
          receive,
          async (item: number, scope: CancelScope) => {
            seen.push(item);
            await usage.during(() => sleep(item % 2, scope));
          },
          { concurrency: 2 },
        );
      },
      { name: "reader" },
    );
    return {
      always: () => {
        expect([usage.now, usage.most <= 2]).toEqual([0, true]);
        expect(seen).toEqual([0, 1, 2, 3].slice(0, seen.length));
        expect(receive.statistics()).toMatchObject({ tasksWaitingReceive: 0, tasksWaitingSend: 0, openSendChannels: 0 });
      },
      complete: () => expect(seen).toHaveLength(4),
    };
  },
  { expected: (error) => (error as Error).name === "BrokenResourceError", targets: ["root", { scope: "reader" }, { scope: "producer" }] },
);

for (const order of ["input", "completed"] as const) {
  holds(`mapStream in order of ${order}`, (nursery) => {
    const usage = new Usage();
    const got: number[] = [];
    nursery.startSoon(
      async () => {
        const items = mapStream([3, 1, 2], (ms: number) => usage.during(() => sleep(ms).then(() => ms)), { concurrency: 2, order });
        for await (const item of items) {
          got.push(item);
          await sleep(0);
        }
      },
      { name: "reader" },
    );
    nursery.startSoon(
      async () => {
        for await (const _ of mapStream([1, 2, 3], (ms: number) => usage.during(() => sleep(ms)), { concurrency: 2, order })) break;
      },
      { name: "leaver" },
    );
    return {
      always: () => {
        expect([usage.now, usage.most <= 4]).toEqual([0, true]);
        if (order === "input") expect(got).toEqual([3, 1, 2].slice(0, got.length));
        expect(new Set(got).size).toBe(got.length);
      },
      complete: () => expect(got).toHaveLength(3),
    };
  });
}
