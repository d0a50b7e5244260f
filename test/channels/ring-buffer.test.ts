import fc from "fast-check";
import { expect, test } from "vitest";
import { RingBuffer } from "../../src/channels/ring-buffer.js";

type Step = { readonly push: number } | { readonly shift: number } | "clear";

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 10, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>("clear") },
);

test("behaves as a queue that is an array, also where it wraps around, grows and runs empty", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ring = new RingBuffer<number>();
      const queue: number[] = [];
      let next = 0;
      for (const step of steps) {
        if (step === "clear") {
          ring.clear();
          queue.length = 0;
        } else if ("push" in step) {
          for (let i = 0; i < step.push; i++) {
            ring.push(next);
            queue.push(next++);
          }
        } else {
          for (let i = 0; i < step.shift && queue.length > 0; i++) expect(ring.shift()).toBe(queue.shift());
        }
        expect(ring.size).toBe(queue.length);
      }
      while (queue.length > 0) expect(ring.shift()).toBe(queue.shift());
      expect(ring.size).toBe(0);
    }),
  );
});

test("grows while its items are in the middle, and around the edge of its array", () => {
  for (let before = 0; before < 20; before++) {
    const ring = new RingBuffer<number>();
    for (let i = 0; i < before; i++) {
      ring.push(-1);
      ring.shift();
    }
    for (let i = 0; i < 100; i++) ring.push(i);
    for (let i = 0; i < 100; i++) expect(ring.shift()).toBe(i);
  }
});

test("holds a million items, again and again", () => {
  const ring = new RingBuffer<number>();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 1_000_000; i++) ring.push(i);
    let sum = 0;
    while (ring.size > 0) sum += ring.shift();
    expect(sum).toBe((1_000_000 * 999_999) / 2);
  }
});

test("gives back what a burst needed once it has run empty", () => {
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const ring = new RingBuffer<number>();
  const before = heap();
  for (let i = 0; i < 1_000_000; i++) ring.push(i);
  expect(heap() - before).toBeGreaterThan(4_000_000);
  while (ring.size > 0) ring.shift();
  expect(heap() - before).toBeLessThan(1_000_000);
  ring.push(5);
  expect([ring.size, ring.shift()]).toEqual([1, 5]);
});

test("keeps nothing alive that was taken out or dropped", async () => {
  const ring = new RingBuffer<object>();
  const taken: WeakRef<object>[] = [];
  const add = () => {
    const item = { some: "item" };
    ring.push(item);
    return new WeakRef(item);
  };
  for (let i = 0; i < 20; i++) taken.push(add());
  for (let i = 0; i < 10; i++) ring.shift();
  const isGone = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    return taken.map((ref) => ref.deref() === undefined);
  };
  expect(await isGone()).toEqual(taken.map((_, i) => i < 10));
  ring.clear();
  expect(await isGone()).toEqual(taken.map(() => true));
  expect(ring.size).toBe(0);
});
