import { stat } from "node:fs/promises";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  CapacityLimiter,
  checkpoint,
  Event,
  Lock,
  moveOnAfter,
  type Nursery,
  openNursery,
  type Parked,
  park,
  run,
  Semaphore,
  shield,
  sleepForever,
} from "../../src/index.js";
import { READY } from "../support/operations.js";

/** A starved loop would go on for ever; this many rounds take longer than any turn that is ever due. */
const ENOUGH = 200_000;
/** So many times that: for I/O, which takes a thread that a busy machine may be slow to give. */
const PATIENCE = 200;

/** What has to come through while the tasks of a run loop. */
class Outside {
  readonly #missing = new Set(["a timer", "an immediate", "I/O", "a message"]);
  /** What had not come through when enough was enough. */
  readonly starved: string[] = [];
  #rounds = 0;
  #turns = 0;
  #turnsBefore = 0;

  constructor() {
    this.#countTurns();
    setTimeout(() => this.#missing.delete("a timer"), 0);
    setImmediate(() => this.#missing.delete("an immediate"));
    const io = () => this.#missing.delete("I/O");
    stat(".").then(io, io);
    const { port1, port2 } = new MessageChannel();
    port1.once("message", () => {
      this.#missing.delete("a message");
      port1.close();
    });
    port2.postMessage(undefined);
  }

  /** Whether a loop is to go on for another round. */
  get isWaiting(): boolean {
    if (this.starved.length > 0) return false;
    if (++this.#rounds % ENOUGH === 0) {
      if (this.#turns === this.#turnsBefore || this.#rounds === PATIENCE * ENOUGH) this.starved.push(...this.#missing);
      this.#turnsBefore = this.#turns;
    }
    return this.#missing.size > 0;
  }

  /** Of the event loop, as long as something is missing. */
  #countTurns(): void {
    if (this.#missing.size === 0) return;
    setImmediate(() => {
      this.#turns++;
      this.#countTurns();
    });
  }
}

/** Runs some tasks that loop, and asserts that everything outside came through meanwhile. */
async function loop(tasks: (nursery: Nursery, outside: Outside) => unknown): Promise<void> {
  await run(async () => {
    const outside = new Outside();
    await openNursery((nursery) => tasks(nursery, outside));
    expect(outside.starved).toEqual([]);
  });
}

describe("R5: does not starve timers and I/O:", () => {
  describe.each([1, 3])("%i task(s)", (count) => {
    test.each(Object.entries(READY))("with a loop of %s", async (_, making) => {
      await loop(async (nursery, outside) => {
        for (let i = 0; i < count; i++) {
          const { run } = await making(nursery);
          nursery.startSoon(async () => {
            while (outside.isWaiting) await run();
          });
        }
      });
    });
  });

  const guards: Readonly<Record<string, { acquire: () => Promise<void>; release: () => void }>> = {
    lock: new Lock(),
    semaphore: new Semaphore(1),
    limiter: new CapacityLimiter(1),
  };
  test.each(Object.entries(guards))("tasks that hand one %s on to each other", async (_, guard) => {
    await loop((nursery, outside) => {
      for (let i = 0; i < 3; i++) {
        nursery.startSoon(async () => {
          while (outside.isWaiting) {
            await guard.acquire();
            guard.release();
          }
        });
      }
    });
  });

  test("two tasks that wake each other by events", async () => {
    await loop((nursery, outside) => {
      let [mine, yours] = [new Event(), new Event()];
      nursery.startSoon(async () => {
        while (outside.isWaiting) {
          yours.set();
          await mine.wait();
          mine = new Event();
        }
        yours.set();
      });
      nursery.startSoon(async () => {
        while (outside.isWaiting) {
          await yours.wait();
          yours = new Event();
          mine.set();
        }
        mine.set();
      });
    });
  });

  test("two tasks that wake each other by park()", async () => {
    await loop((nursery, outside) => {
      const parked: Parked<void>[] = [];
      for (let i = 0; i < 2; i++) {
        nursery.startSoon(async () => {
          while (outside.isWaiting) {
            await park((own) => {
              parked.push(own);
              if (parked.length > 1) parked.shift()?.wake();
            });
          }
          for (const other of parked) other.wake();
        });
      }
    });
  });

  test("a loop of checkpoints beside tasks that hand a lock on to each other", async () => {
    const lock = new Lock();
    await loop((nursery, outside) => {
      for (const wait of [checkpoint, checkpoint, () => lock.run(() => {}), () => lock.run(() => {})]) {
        nursery.startSoon(async () => {
          while (outside.isWaiting) await wait();
        });
      }
    });
  });

  const rounds: Readonly<Record<string, (nursery: Nursery) => Promise<unknown>>> = {
    "empty nurseries": () => openNursery(() => {}),
    "nurseries with a task": () => openNursery((inner) => void inner.startSoon(() => {})),
    "nurseries with a task that waits": () => openNursery((inner) => void inner.startSoon(() => checkpoint())),
    "tasks that are joined": (nursery) => nursery.startSoon(() => {}).join(),
    "tasks that are started": (nursery) => nursery.start((_, started) => started(undefined)),
    "scopes that time out": () => moveOnAfter(0, () => checkpoint()),
    "checkpoints that are cancelled": () =>
      new CancelScope().run(async (scope) => {
        scope.cancel();
        await checkpoint();
      }),
    "waits that are cancelled": () =>
      new CancelScope().run(async (scope) => {
        const waiting = sleepForever();
        scope.cancel();
        await waiting;
      }),
    "waits that fail": () => park((parked) => void parked.fail("expected")).catch(() => {}),
    "tasks that are cancelled and joined": (nursery) => {
      const task = nursery.startSoon(() => sleepForever());
      queueMicrotask(() => task.cancel());
      return task.join().catch(() => {});
    },
    "nurseries that fail": () => openNursery((inner) => void inner.startSoon(() => Promise.reject("expected"))).catch(() => {}),
    "checkpoints in a shield": () => shield(() => checkpoint()),
  };
  test.each(Object.entries(rounds))("a loop of %s", async (_, round) => {
    await loop((nursery, outside) => {
      nursery.startSoon(async () => {
        while (outside.isWaiting) await round(nursery);
      });
    });
  });
});
