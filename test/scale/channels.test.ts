import { describe, expect, test } from "vitest";
import { EndQueue } from "../../src/channels/end-queue.js";
import { MemoryChannel } from "../../src/channels/memory-channel.js";
import {
  BrokenResourceError,
  type Cancellable,
  CancelScope,
  ClosedResourceError,
  checkpoint,
  EndOfChannel,
  Event,
  moveOnAfter,
  type Nursery,
  now,
  openMemoryChannel,
  run,
  select,
  selectFair,
  sleep,
  timeout,
} from "../../src/index.js";
import { WaitQueue } from "../../src/kernel/wait-queue.js";
import { Waiter } from "../../src/kernel/waiter.js";
import { simulate } from "../support/simulate.js";
import { growth, NOTHING } from "./heap.js";

const COUNT = 200_000;

const { senders, receivers } = new MemoryChannel(0);
const PROTOTYPES = [
  WaitQueue.prototype,
  EndQueue.prototype,
  Object.getPrototypeOf(senders),
  Object.getPrototypeOf(receivers),
  Waiter.prototype,
];

/** How many steps the queues take while `work` runs: each use of a method or a getter of theirs is one. */
function steps(work: () => unknown): number {
  let count = 0;
  const undo: (() => void)[] = [];
  for (const prototype of PROTOTYPES) {
    for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const counted: PropertyDescriptor = { ...own };
      for (const kind of ["get", "value"] as const) {
        const original: unknown = own[kind];
        if (name === "constructor" || typeof original !== "function") continue;
        counted[kind] = function (this: unknown, ...given: unknown[]) {
          count++;
          return Reflect.apply(original, this, given);
        };
      }
      Object.defineProperty(prototype, name, counted);
      undo.push(() => Object.defineProperty(prototype, name, own));
    }
  }
  try {
    work();
  } finally {
    for (const restore of undo) restore();
  }
  return count;
}

describe("R14: the work is proportional to how many wait:", () => {
  type Wait = (scope: Cancellable, i: number) => Promise<unknown>;
  interface Crowd {
    readonly wait: Wait;
    /** Closes what they wait on, where they can be ended that way, too. */
    readonly close?: () => void;
  }
  const crowds: Readonly<Record<string, () => Crowd>> = {
    "receive()": () => {
      const { receive } = openMemoryChannel<number>(0);
      return { wait: (scope) => receive.receive(scope), close: () => receive.close() };
    },
    "send()": () => {
      const { send } = openMemoryChannel<number>(0);
      return { wait: (scope, i) => send.send(i, scope), close: () => send.close() };
    },
    "send() that nobody will receive": () => {
      const { send, receive } = openMemoryChannel<number>(0);
      return { wait: (scope, i) => send.send(i, scope), close: () => receive.close() };
    },
    "for await": () => {
      const { send, receive } = openMemoryChannel<number>(0);
      return { wait: (scope) => receive.values(scope).next(), close: () => send.close() };
    },
    "send(), each on a handle of its own": () => {
      const { send } = openMemoryChannel<number>(0);
      const ends = Array.from({ length: 2_000 }, () => send.clone());
      return {
        wait: (scope, i) => (ends[i] as typeof send).send(i, scope),
        close: () => {
          for (const end of ends) end.close();
        },
      };
    },
    "select()": () => {
      const { send } = openMemoryChannel<number>(0);
      const { receive } = openMemoryChannel<number>(0);
      const event = new Event();
      const wait: Wait = (scope, i) => select({ item: receive, again: receive, sent: send.sending(i), event }, scope);
      return { wait, close: () => receive.close() };
    },
  };

  test.each(
    Object.entries(crowds).flatMap(([name, make]) => (["cancel", "close"] as const).map((how) => [how, name, make] as const)),
  )("%s, of many that wait in %s", async (how, _, make) => {
    const counted: number[] = [];
    for (const size of [500, 1_000, 2_000]) {
      // Not in production, where it depends on the time whether a promise is settled at once.
      await simulate(
        async (root) => {
          const { wait, close } = make();
          const scope = new CancelScope();
          await scope.run(async () => {
            const waits = Array.from({ length: size }, (_, i) => wait(scope, i).catch((error: unknown) => error));
            counted.push(steps(() => (how === "cancel" ? scope.cancel() : close?.())));
            const outcomes = await Promise.all(waits);
            expect(outcomes).toHaveLength(size);
            for (const outcome of outcomes) {
              if (how === "cancel") expect(outcome).toBe(scope.signal.reason);
              else expect(isClosing(outcome)).toBe(true);
            }
          }, root);
        },
        { ambient: false },
      );
    }
    const [first = 0, second = 0, third = 0] = counted;
    expect(first).toBeGreaterThan(500);
    // The same for each of them, but for what is done once.
    expect(third - second).toBe(2 * (second - first));
  });

  test("to close a handle on which nobody waits, any more, takes no look at those who wait on others", async () => {
    for (const side of ["send", "receive"] as const) {
      await simulate(
        async (root) => {
          const channel = openMemoryChannel<number>(0);
          const wait = (end: (typeof channel)[typeof side]) => ("send" in end ? end.send(1, root) : end.receive(root)).catch(() => {});
          const [served, unused] = [channel[side].clone(), channel[side].clone()];
          for (let i = 0; i < 3; i++) void wait(served as typeof channel.send);
          for (let i = 0; i < 3; i++) {
            if (side === "send") channel.receive.receiveNowait();
            else channel.send.sendNowait(i);
          }
          for (let i = 0; i < 1_000; i++) void wait(channel[side]);
          for (const end of [served, unused]) expect(steps(() => end.close())).toBeLessThan(10);
        },
        { ambient: false },
      );
    }
  });

  function isClosing(outcome: unknown): boolean {
    if (outcome instanceof ClosedResourceError || outcome instanceof BrokenResourceError || outcome instanceof EndOfChannel) return true;
    return (outcome as IteratorResult<unknown>).done === true;
  }
});

/** What is done again and again in a scope that lives on, with objects that live on. */
const WORK: Readonly<Record<string, (root: Nursery) => (size: number) => Promise<unknown>>> = {
  "items that were handed over": (root) => {
    const [to, back] = [openMemoryChannel<object>(0), openMemoryChannel<object>(1)];
    root.startSoon(
      async (task) => {
        for await (const item of to.receive.values(task)) await back.send.send(item, task);
      },
      { background: true },
    );
    return async (size) => {
      for (let i = 0; i < size; i++) {
        await to.send.send({ i }, root);
        await back.receive.receive(root);
      }
    };
  },
  "waits that were cancelled": (root) => {
    const { send, receive } = openMemoryChannel<object>(0);
    const event = new Event();
    return async (size) => {
      for (let i = 0; i < size; i++) {
        const scope = new CancelScope();
        const waits: readonly (() => Promise<unknown>)[] = [
          () => receive.receive(scope),
          () => receive.clone().values(scope).next(),
          () => select({ item: receive.orEnd, sent: send.sending({ i }), event, late: timeout(1e6) }, scope),
          () => send.send({ i }, scope),
        ];
        const over = scope.run(() => waits[i % waits.length]?.(), root);
        scope.cancel();
        await over;
      }
    };
  },
  "selects that chose something else": (root) => {
    const { send, receive } = openMemoryChannel<object>(0);
    const ticks = openMemoryChannel<object>(1);
    const event = new Event();
    const task = root.startSoon((own) => event.wait(own), { background: true });
    return async (size) => {
      for (let i = 0; i < size; i++) {
        const choose = i % 2 === 0 ? select : selectFair;
        const chosen = choose({ item: receive, sent: send.sending({ i }), event, task, late: timeout(1e6), tick: ticks.receive }, root);
        await ticks.send.send({ i }, root);
        await chosen;
      }
    };
  },
  "handles that were closed": () => {
    const { send, receive } = openMemoryChannel<object>(0);
    return async (size) => {
      for (let i = 0; i < size; i++) {
        send.clone().close();
        receive.clone().close();
      }
      await new Promise((resolve) => setImmediate(resolve));
    };
  },
  "loops that were left": (root) => {
    const { send, receive } = openMemoryChannel<object>(1);
    return async (size) => {
      for (let i = 0; i < size; i++) {
        send.sendNowait({ i });
        for await (const _ of receive.clone().values(root)) break;
      }
    };
  },
};

test.each(Object.entries(WORK))("channels, events and tasks that live on keep nothing of 200,000 %s", async (_, work) => {
  const grown = await run(
    async (root) => {
      // A far deadline keeps the heap of timers from being emptied as a whole.
      root.deadline = now() + 1e9;
      return growth(COUNT, work(root));
    },
    { ambient: false },
  );
  expect(grown).toBeLessThan(NOTHING);
});

test("an item is kept by nobody once it was received, dropped, or never sent", async () => {
  const refs = new Map<string, WeakRef<object>>();
  const item = (name: string) => {
    const made = { name };
    refs.set(name, new WeakRef(made));
    return made;
  };
  const gone = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    return [...refs].filter(([, ref]) => ref.deref() === undefined).map(([name]) => name);
  };
  await run(async () => {
    const [one, other] = [openMemoryChannel<object>(2), openMemoryChannel<object>(0)];
    const expected: string[] = [];
    const becomes = async (name: string, end: () => Promise<unknown>) => {
      expect(await gone()).toEqual(expected);
      await end();
      await checkpoint();
      expected.push(name);
      expect(await gone()).toEqual(expected);
    };
    one.send.sendNowait(item("received from the buffer"));
    await becomes("received from the buffer", () => one.receive.receive().then(() => {}));
    void other.send.send(item("received from a sender"));
    await becomes("received from a sender", () => other.receive.receive().then(() => {}));
    const scope = new CancelScope();
    const sending = scope.run(() => other.send.send(item("not sent")));
    await becomes("not sent", () => {
      scope.cancel();
      return sending;
    });
    const choosing = select({ sent: other.send.sending(item("not chosen")), other: one.receive });
    await becomes("not chosen", () => {
      one.send.sendNowait({});
      return choosing.then(() => {});
    });
    const clone = other.send.clone();
    const closed = clone.send(item("closed away")).catch(() => {});
    await becomes("closed away", () => {
      clone.close();
      return closed;
    });
    one.send.sendNowait(item("dropped"));
    await becomes("dropped", () => {
      one.receive.close();
      return sleep(0);
    });
    expect(await moveOnAfter(1, () => other.receive.receive())).toBe(undefined);
  });
});
