import fc from "fast-check";
import { expect, test } from "vitest";
import type { Timer } from "../../src/kernel/runtime.js";
import { TimerHeap } from "../../src/kernel/timer-heap.js";

/** What a timer does when it fires, to the others of its test: nothing, clear one, or set one more. */
type Effect = { readonly clears: number } | { readonly sets: number } | undefined;

class Recorded implements Timer {
  readonly at: number;
  readonly isDeadline: boolean;
  readonly fire: () => void;
  order = 0;
  live = false;

  constructor(at: number, isDeadline: boolean, onFire: () => void) {
    this.at = at;
    this.isDeadline = isDeadline;
    this.fire = onFire;
  }
}

/** The same by definition: a plain list, searched and sorted each time. */
class SortedList {
  readonly entries: { readonly timer: number; readonly at: number; readonly isDeadline: boolean; live: boolean }[] = [];

  get earliest(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.entries.filter((entry) => entry.live).map((entry) => entry.at));
  }

  get size(): number {
    return this.entries.filter((entry) => entry.live).length;
  }

  clear(timer: number): void {
    for (const entry of this.entries) if (entry.timer === timer) entry.live = false;
  }

  fire(now: number, onFire: (timer: number) => void): void {
    // The entries are in order of setting, and sorting is stable.
    const due = this.entries.filter((entry) => entry.live && entry.at <= now).sort((a, b) => a.at - b.at);
    for (const entry of [...due.filter((one) => one.isDeadline), ...due.filter((one) => !one.isDeadline)]) {
      if (!entry.live) continue;
      entry.live = false;
      onFire(entry.timer);
    }
  }
}

const instant = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.double({ min: 0, max: 12, noNaN: true }),
  fc.constant(Number.NEGATIVE_INFINITY),
);
const effect: fc.Arbitrary<Effect> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.nat(20).map((clears) => ({ clears })) },
  { weight: 1, arbitrary: instant.map((sets) => ({ sets })) },
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("set" as const), at: instant, isDeadline: fc.boolean(), effect }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("clear" as const), timer: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("fire" as const), now: instant }) },
);

test("it fires as a sorted list does: deadlines before sleepers, each kind by instant and order of setting, also while it fires", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new TimerHeap();
      const model = new SortedList();
      const timers: Recorded[] = [];
      const effects: Effect[] = [];
      const fired: number[] = [];
      const expected: number[] = [];

      const setBoth = (at: number, isDeadline: boolean, effect: Effect) => {
        effects.push(effect);
        model.entries.push({ timer: model.entries.length, at, isDeadline, live: true });
        setInHeap(at, isDeadline);
      };
      const setInHeap = (at: number, isDeadline: boolean) => {
        const number = timers.length;
        const timer = new Recorded(at, isDeadline, () => {
          fired.push(number);
          const own = effects[number];
          if (own === undefined) return;
          if ("sets" in own) setInHeap(own.sets, true);
          else clearInHeap(own.clears);
        });
        timers.push(timer);
        heap.set(timer);
      };
      const clearInHeap = (timer: number) => {
        const target = timers[timer];
        if (target !== undefined) heap.clear(target);
      };
      const onModelFire = (timer: number) => {
        expected.push(timer);
        const own = effects[timer];
        if (own === undefined) return;
        if ("sets" in own) model.entries.push({ timer: model.entries.length, at: own.sets, isDeadline: true, live: true });
        else model.clear(own.clears);
      };

      for (const step of steps) {
        if (step.op === "set") setBoth(step.at, step.isDeadline, step.effect);
        else if (step.op === "clear") {
          clearInHeap(step.timer);
          model.clear(step.timer);
        } else {
          heap.fire(step.now);
          model.fire(step.now, onModelFire);
        }
        expect(fired).toEqual(expected);
        expect(heap.earliest()).toBe(model.earliest);
        expect(heap.size).toBe(model.size);
        expect(timers.map((timer) => timer.live)).toEqual(model.entries.map((entry) => entry.live));
      }
    }),
    { numRuns: 500 },
  );
});

test("clearing a timer that has fired, or was cleared, has no effect", () => {
  const heap = new TimerHeap();
  const timers = [1, 2, 3].map((at) => new Recorded(at, false, () => {}));
  const [first, second] = timers as [Recorded, Recorded, Recorded];
  for (const timer of timers) heap.set(timer);
  heap.fire(1);
  heap.clear(first);
  heap.clear(second);
  heap.clear(second);
  expect(heap.size).toBe(1);
  expect(heap.earliest()).toBe(3);
});

function setAndClear(heap: TimerHeap, count: number, isCleared: (i: number) => boolean): WeakRef<Recorded>[] {
  return Array.from({ length: count }, (_, i) => {
    const timer = new Recorded(count - i, i % 2 === 0, () => {});
    heap.set(timer);
    if (isCleared(i)) heap.clear(timer);
    return new WeakRef(timer);
  });
}

async function countKept(refs: WeakRef<Recorded>[]): Promise<number> {
  // A target is held until the end of the job in which its WeakRef was made.
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

test("it keeps few of the timers that were cleared, as long as others live", async () => {
  const heap = new TimerHeap();
  const keeper = new Recorded(1e9, false, () => {});
  heap.set(keeper);
  const refs = setAndClear(heap, 50_000, () => true);
  expect(await countKept(refs)).toBeLessThan(2_000);
  expect(heap.size).toBe(1);
  expect(heap.earliest()).toBe(1e9);
});

test("it keeps none of them when the last live one is gone", async () => {
  const heap = new TimerHeap();
  const refs = setAndClear(heap, 500, (i) => i % 3 === 0);
  heap.fire(1_000);
  expect(await countKept(refs)).toBe(0);
  expect(heap.size).toBe(0);
});
