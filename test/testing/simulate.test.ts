import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  Cancelled,
  CancelScope,
  CapacityLimiter,
  checkpoint,
  currentTask,
  DeadlockError,
  Event,
  Lock,
  MissingScopeError,
  moveOnAfter,
  now,
  run,
  sleep,
  sleepForever,
  sleepUntil,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const boom = new Error("boom");

describe("simulate() runs a body as run() does:", () => {
  test("its value, its failure, its options", async () => {
    expect(await simulate(() => "value")).toBe("value");
    expect(await rejectionOf(simulate(() => Promise.reject(boom)))).toBe(boom);
    expect(await simulate((root) => root.name, { name: "mine" })).toBe("mine");
    expect(await rejectionOf(simulate(() => Promise.reject(boom), { errors: "group" }))).toMatchObject({ errors: [boom] });
    const { signal } = new AbortController();
    expect(await simulate(() => "value", { signal })).toBe("value");
    expect(await rejectionOf(simulate(() => sleepForever(), { signal: AbortSignal.abort() }))).toBeInstanceOf(Cancelled);
    await simulate(async () => expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError), { ambient: false });
  });

  test("as a root of its own, also inside another run", async () => {
    await run(async () => {
      expect(await simulate(() => sleep(1e9).then(() => now()))).toBe(1e9);
    });
  });
});

describe("virtual time", () => {
  test("begins at 0, or where it is told", async () => {
    expect(await simulate(() => now())).toBe(0);
    expect(await simulate(() => now(), { startTime: 1e6 })).toBe(1e6);
    expect(await simulate(() => sleep(5).then(() => now()), { startTime: 1e6 })).toBe(1e6 + 5);
  });

  test("stands still while anything can go on", async () => {
    await simulate(async (nursery) => {
      nursery.startSoon(() => sleep(1));
      for (let i = 0; i < 50; i++) await checkpoint();
      expect(now()).toBe(0);
    });
  });

  test("jumps to the next sleeper or deadline when everything waits, however far that is", async () => {
    await simulate(async () => {
      await sleep(1e15);
      expect(now()).toBe(1e15);
      await moveOnAfter(1e15, () => sleepForever());
      expect(now()).toBe(2e15);
    });
  });

  test("is at each instant exactly what was asked for, whatever sleeps at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 1_000 }), { maxLength: 20 }), async (times) => {
        const log: { readonly at: number; readonly i: number }[] = [];
        await simulate((nursery) => {
          times.forEach((ms, i) => {
            nursery.startSoon(async () => {
              await sleepUntil(ms);
              expect(now()).toBe(ms);
              log.push({ at: ms, i });
            });
          });
        });
        expect(log).toEqual([...log].sort((a, b) => a.at - b.at || a.i - b.i));
        expect(log).toHaveLength(times.length);
      }),
    );
  });

  test("is that of every run inside", async () => {
    await simulate(async () => {
      await run(() => sleep(5));
      expect(now()).toBe(5);
    });
  });
});

describe("the order of wake-ups", () => {
  test("is first come, first served", async () => {
    const log: string[] = [];
    await simulate((nursery) => {
      const event = new Event();
      for (const name of ["a", "b", "c"]) {
        nursery.startSoon(async () => {
          log.push(name);
          await event.wait();
          log.push(name);
          await checkpoint();
          log.push(name);
        });
      }
      nursery.startSoon(() => event.set());
    });
    expect(log.join("")).toBe("abcabcabc");
  });

  test("is one at a time: each goes on until it waits again, with all that it awaits of the platform's microtasks", async () => {
    const log: string[] = [];
    await simulate((nursery) => {
      for (const name of ["a", "b"]) {
        nursery.startSoon(async () => {
          await checkpoint();
          log.push(`${name} begins`);
          for (let i = 0; i < 100; i++) await Promise.resolve();
          log.push(`${name} ends`);
        });
      }
    });
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  test("is what `pick` says, of those that are ready", async () => {
    const order = async (pick: (n: number) => number): Promise<string> => {
      const log: string[] = [];
      await simulate(
        (nursery) => {
          for (const name of ["a", "b", "c"]) nursery.startSoon(() => void log.push(name));
        },
        { pick },
      );
      return log.join("");
    };
    expect(await order(() => 0)).toBe("abc");
    expect(await order((n) => n - 1)).toBe("cba");
    expect(await order((n) => Math.floor((n - 1) / 2))).toBe("bac");
  });

  test("`pick` is told how many are ready, where there are several", async () => {
    const seen: number[] = [];
    await simulate(
      async (nursery) => {
        nursery.startSoon(() => {});
        nursery.startSoon(() => {});
        nursery.startSoon(() => {});
        await sleep(1);
      },
      {
        pick: (n) => {
          seen.push(n);
          return 0;
        },
      },
    );
    expect(Math.min(...seen)).toBe(2);
    expect(seen.slice(0, 2)).toEqual([3, 2]);
  });

  test("two runs of one program, and one schedule, are the same step by step", async () => {
    const program = async (pick: (n: number) => number): Promise<string[]> => {
      const log: string[] = [];
      await simulate(
        async (nursery) => {
          const lock = new Lock();
          const limiter = new CapacityLimiter(2);
          for (let who = 0; who < 4; who++) {
            nursery.startSoon(async () => {
              for (let i = 0; i < 3; i++) {
                await limiter.run(() => sleep(who));
                log.push(`${who} at ${now()}`);
                await moveOnAfter(2, () => lock.run(() => sleep(1)));
                log.push(`${who} again at ${now()}`);
              }
            });
          }
        },
        { pick },
      );
      return log;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), async (picks) => {
        const picker = () => {
          let i = 0;
          return (n: number) => (picks[i++ % picks.length] as number) % n;
        };
        expect(await program(picker())).toEqual(await program(picker()));
      }),
      { numRuns: 20 },
    );
  });
});

describe("what is not of the library", () => {
  /** Real time as the simulation sees it. */
  let real = 0;
  beforeEach(() => {
    real = 0;
    vi.spyOn(performance, "now").mockImplementation(() => real);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const takes = (ms: number) =>
    new Promise<void>((resolve) => {
      setImmediate(() =>
        setImmediate(() => {
          real += ms;
          resolve();
        }),
      );
    });

  test("settles, and takes no virtual time, as long as it takes no longer than 250 ms of real time", async () => {
    await simulate(async () => {
      await takes(249);
      expect(now()).toBe(0);
      await sleep(5);
      expect(now()).toBe(5);
    });
  });

  test("or than settleMs, counted from the last thing that went on", async () => {
    await simulate(
      async () => {
        for (let i = 0; i < 4; i++) {
          await takes(20);
          await checkpoint();
        }
      },
      { settleMs: 30 },
    );
  });

  test("has as much time again to react to the cancellation, where it is given up", async () => {
    const log: string[] = [];
    const passing = setInterval(() => {
      real += 5;
    }, 1);
    const stuck = simulate(
      (root) =>
        new Promise((_, reject) => {
          root.signal.addEventListener("abort", () => takes(20).then(() => reject(root.signal.reason)));
        }).finally(() => log.push("reacted")),
      { settleMs: 100 },
    );
    expect(await rejectionOf(stuck)).toBeInstanceOf(DeadlockError);
    clearInterval(passing);
    expect(log).toEqual(["reacted"]);
  });

  test("is named if it never does, with the task that awaits it", async () => {
    const passing = setInterval(() => {
      real++;
    }, 1);
    const stuck = simulate(
      (nursery) => {
        nursery.startSoon(() => new Promise(() => {}), { name: "waits for nothing" });
      },
      { settleMs: 20 },
    );
    const error = await rejectionAs(DeadlockError, stuck);
    clearInterval(passing);
    expect(error.message).toBe(
      `nothing can go on any more, and no time can pass that would change that:
  main waits: leave root, in which waits for nothing goes on
  root > waits for nothing waits for something that is not of this library, and was not settled within 20 ms of real time; between tasks, use an Event or join()`,
    );
  });
});

describe("after a simulation", () => {
  test("what floated in it has been told of its end", async () => {
    const log: string[] = [];
    await simulate(() => {
      void sleepForever().catch(() => log.push("cancelled"));
    });
    expect(log).toEqual(["cancelled"]);
  });

  test("nothing is left ambient", async () => {
    await simulate(() => currentTask());
    expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
  });
});

test("a scope of a simulation cannot be waited in from outside: it has ended", async () => {
  const scope = new CancelScope();
  await simulate(() => scope.run(() => {}));
  expect(await rejectionOf(sleep(1, scope))).toMatchObject({ name: "ScopeEndedError" });
});
