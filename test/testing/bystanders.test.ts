import { describe, expect, test } from "vitest";
import { DeadlockError, forEach, mapStream, openMemoryChannel, openNursery } from "../../src/index.js";
import { type Injected, injectCancellation, simulate as simulateWithReport } from "../../src/testing/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

/** Programs in which the library has tasks of its own that only look on, which nobody has asked for. */
const programs = {
  "forEach() over a channel": () => forEach(openMemoryChannel<number>(0).receive, () => {}, { concurrency: 1 }),
  "mapStream()": async () => {
    const { receive } = openMemoryChannel<number>(0);
    for await (const _ of mapStream([1], () => receive.receive(), { concurrency: 1 }));
  },
};

describe("what only looks on is nobody's wait:", () => {
  test.each(Object.entries(programs))("%s that is stuck is told without it", async (_, program) => {
    const error = await rejectionAs(DeadlockError, simulate(program));
    expect(error.message).not.toContain("watch");
    expect(error.waiting.some(({ op }) => op === "receive")).toBe(true);
    expect(`${await rejectionOf(simulateWithReport(program))}`.split("step ")[0]).not.toContain("watch");
  });

  test("the text says what waits, in the words of the program", async () => {
    const error = await rejectionAs(DeadlockError, simulate(programs["forEach() over a channel"]));
    expect(error.message).toBe(`nothing can go on any more, and no time can pass that would change that:
  main waits: forEach
  root > forEach > source waits: receive MemoryChannel of capacity 0`);
  });

  test("it is not cancelled on its own: no user can do that, and items would be `undefined` then", async () => {
    const items: unknown[] = [];
    const injected: string[] = [];
    const body = () =>
      openNursery(async (nursery) => {
        const { send, receive } = openMemoryChannel<number>(0);
        nursery.startSoon(async () => {
          using end = send;
          await end.send(1).catch(() => {});
        });
        await forEach(receive, (item) => void items.push(item), { concurrency: 1 });
      });
    const check = ({ task, op }: Injected) => void injected.push(`${task}: ${op}`);
    await injectCancellation(body, { check }).catch(() => {});
    expect(new Set(items)).toEqual(new Set([1]));
    expect(injected.filter((each) => each.includes("watch"))).toEqual([]);
    expect(injected.filter((each) => each.includes("receive"))).not.toEqual([]);
  });
});
