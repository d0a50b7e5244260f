import { expect, test } from "vitest";
import { checkpoint, type ErrorGroup, Event, Lock, openNursery, run, sleep } from "../../src/index.js";

test("1,000,000 tasks in one nursery, all at once", async () => {
  let ended = 0;
  await run(
    (nursery) => {
      for (let i = 0; i < 1_000_000; i++) {
        nursery.startSoon(() => {
          ended++;
        });
      }
      expect(ended).toBe(0);
    },
    { ambient: false },
  );
  expect(ended).toBe(1_000_000);
});

test("200,000 tasks that wait, with an ambient scope", async () => {
  let ended = 0;
  await run((nursery) => {
    for (let i = 0; i < 200_000; i++) {
      nursery.startSoon(async () => {
        await checkpoint();
        ended++;
      });
    }
  });
  expect(ended).toBe(200_000);
});

test("100,000 tasks that spawn one another, each from the one before", async () => {
  let ended = 0;
  await run(
    (nursery) => {
      const next = (): void => {
        if (++ended < 100_000) nursery.startSoon(next);
      };
      nursery.startSoon(next);
    },
    { ambient: false },
  );
  expect(ended).toBe(100_000);
});

test("100,000 tasks that all fail: one error holds all of theirs, in order", async () => {
  const errors = Array.from({ length: 100_000 }, (_, i) => i);
  const outcome: unknown = await run(
    (nursery) => {
      for (const error of errors) {
        nursery.startSoon(() => {
          throw error;
        });
      }
    },
    { ambient: false },
  ).catch((error: unknown) => error);
  expect((outcome as ErrorGroup).errors).toEqual(errors);
});

test("100,000 tasks join one task, and 100,000 tasks are joined by one", async () => {
  const total = await run(
    async (root) => {
      const gate = new Event();
      const source = root.startSoon(async (task) => {
        await gate.wait(task);
        return 1;
      });
      const joiners = Array.from({ length: 100_000 }, () => root.startSoon((task) => source.join(task)));
      await checkpoint(root);
      gate.set();
      let total = 0;
      for (const joiner of joiners) total += await joiner.join(root);
      return total;
    },
    { ambient: false },
  );
  expect(total).toBe(100_000);
});

test("100,000 tasks pass through one lock, in order", async () => {
  const order: number[] = [];
  await run(
    (nursery) => {
      const lock = new Lock();
      for (let i = 0; i < 100_000; i++) {
        nursery.startSoon((task) =>
          lock.run(async () => {
            order.push(i);
            await checkpoint(task);
          }, task),
        );
      }
    },
    { ambient: false },
  );
  expect(order).toEqual(Array.from({ length: 100_000 }, (_, i) => i));
});

test("100,000 nurseries side by side, and 100,000 sleepers of one instant", async () => {
  let ended = 0;
  await run(
    (nursery) => {
      for (let i = 0; i < 100_000; i++) {
        nursery.startSoon((task) =>
          openNursery((inner) => {
            inner.startSoon(async (own) => {
              await sleep(1, own);
              ended++;
            });
          }, task),
        );
      }
    },
    { ambient: false },
  );
  expect(ended).toBe(100_000);
});

test("100,000 disposable results that nobody received are disposed, the last first, in linear time", async () => {
  const disposed: number[] = [];
  await run(
    async (nursery) => {
      for (let i = 0; i < 100_000; i++) nursery.startSoon(() => ({ [Symbol.dispose]: () => disposed.push(i) }));
      await sleep(0, nursery);
      nursery.cancel();
    },
    { ambient: false },
  );
  expect(disposed).toHaveLength(100_000);
  expect(disposed.slice(0, 3)).toEqual([99_999, 99_998, 99_997]);
});
