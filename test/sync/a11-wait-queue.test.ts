import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, sleep } from "../../src/index.js";
import { WaitQueue } from "../../src/kernel/wait-queue.js";
import { DistinctQueue } from "../../src/sync/distinct-queue.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

type Step =
  | { readonly op: "arrive"; readonly queue: 0 | 1 }
  | { readonly op: "wakeFirst" | "wakeAll" | "failAll" | "moveFirst"; readonly queue: 0 | 1 }
  | { readonly op: "cancel"; readonly who: number };

const queueNumber = fc.constantFrom<0 | 1>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("arrive" as const), queue: queueNumber }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constantFrom("wakeFirst", "wakeFirst", "moveFirst", "moveFirst", "wakeAll", "failAll"),
      queue: queueNumber,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("cancel" as const), who: fc.nat({ max: 12 }) }) },
);

/** What those get who are served. */
const outcomes = { wakeFirst: "woken", wakeAll: "woken", failAll: "failed" } as const;

describe.each([
  ["FA4, FA5, FA6, R11: waiters in order of arrival", WaitQueue],
  ["FA4, FA5, FA6, R11: waiters in order of arrival, each of another task", DistinctQueue],
])("%s", (_, Queue) => {
  test("are woken one by one or all at once, moved to another queue in order, and cancelled there as here", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), schedules(), async (steps, schedule) => {
        const queues = [new Queue<never, never>("wait", {}), new Queue<never, never>("wait", {})] as unknown as [
          WaitQueue<string, number>,
          WaitQueue<string, number>,
        ];
        const model: [number[], number[]] = [[], []];
        const expected: string[] = [];
        const ended: string[] = [];
        await simulate(
          async (nursery) => {
            const scopes: CancelScope[] = [];
            for (const each of steps) {
              if (each.op === "arrive") {
                const who = scopes.length;
                const scope = new CancelScope();
                scopes.push(scope);
                model[each.queue].push(who);
                nursery.startSoon(() =>
                  scope.run(() =>
                    queues[each.queue].wait(scope, who).then(
                      (value) => ended.push(`${who} ${value}`),
                      (error) => ended.push(`${who} ${error === scope.signal.reason ? "cancelled" : error}`),
                    ),
                  ),
                );
                await sleep(1);
              } else if (each.op === "cancel") {
                scopes[each.who]?.cancel();
                for (const line of model) {
                  const place = line.indexOf(each.who);
                  if (place >= 0) expected.push(`${line.splice(place, 1)} cancelled`);
                }
              } else {
                const [queue, line] = [queues[each.queue], model[each.queue]];
                const [other, otherLine] = [queues[1 - each.queue] as typeof queue, model[1 - each.queue] as number[]];
                if (each.op === "moveFirst") {
                  queue.moveFirst(other);
                  otherLine.push(...line.splice(0, 1));
                } else {
                  const served = line.splice(0, each.op === "wakeFirst" ? 1 : line.length);
                  if (each.op === "wakeFirst") expect(queue.wakeFirst("woken")?.what).toBe(served[0]);
                  else if (each.op === "wakeAll") queue.wakeAll("woken");
                  else queue.failAll("failed");
                  for (const who of served) expected.push(`${who} ${outcomes[each.op]}`);
                }
              }
              expect(queues.map((queue) => queue.size)).toEqual(model.map((line) => line.length));
              expect(queues.map((queue) => queue.first?.what)).toEqual(model.map((line) => line[0]));
            }
            await sleep(1);
            // Woken in order; whether they go on in that order is up to the schedule.
            if (schedule === 0) expect(ended).toEqual(expected);
            for (const scope of scopes) scope.cancel();
            for (const line of model) expected.push(...line.map((who) => `${who} cancelled`));
            expect(queues.map((queue) => queue.size)).toEqual([0, 0]);
          },
          { pick: pickOf(schedule) },
        );
        expect([...ended].sort()).toEqual([...expected].sort());
      }),
      { numRuns: 300 },
    );
  });
});

describe("who waits in a DistinctQueue", () => {
  test("is known to it, and to those beside it, until he is woken, moved on or cancelled", async () => {
    await simulate(async (nursery) => {
      const here = new DistinctQueue<string>("wait", {});
      const beside = new DistinctQueue<string>("wait", {}, here);
      const elsewhere = new DistinctQueue<string>("wait", {});
      const known = () => [here, beside, elsewhere].map((queue) => ["a", "b"].filter((who) => queue.has(who)).join(""));
      const scope = new CancelScope();
      nursery.startSoon(() => scope.run(() => here.wait(scope, "a")));
      nursery.startSoon((task) => beside.wait(task, "b"));
      expect(known()).toEqual(["", "", ""]);
      await sleep(1);
      expect(known()).toEqual(["ab", "ab", ""]);
      here.moveFirst(beside);
      expect([known(), here.size, beside.size]).toEqual([["ab", "ab", ""], 0, 2]);
      beside.wakeFirst();
      expect(known()).toEqual(["a", "a", ""]);
      scope.cancel();
      expect([known(), beside.size]).toEqual([["", "", ""], 0]);
    });
  });
});
