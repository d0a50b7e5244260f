import { describe, expect, test } from "vitest";
import {
  CancelScope,
  ClosedResourceError,
  checkpoint,
  type Generated,
  generate,
  leaves,
  moveOnAfter,
  openNursery,
  run,
  sleep,
  sleepForever,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { pickOf } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

const inGenerator = new Error("in the generator");
const inFinally = new Error("in its finally");
const inLoop = new Error("in the loop");

/** What goes wrong in the generator, which yields two items. */
interface Flaws {
  readonly fails: boolean;
  readonly failsToClose: boolean;
}

const everyFlaw: Flaws[] = [false, true].flatMap((fails) => [false, true].map((failsToClose) => ({ fails, failsToClose })));

function flawed({ fails, failsToClose }: Flaws): () => AsyncGenerator<number> {
  return async function* numbers() {
    try {
      yield 1;
      await checkpoint();
      yield 2;
      await sleep(10);
      if (fails) throw inGenerator;
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: what is tested
      if (failsToClose) throw inFinally;
    }
  };
}

interface Way {
  readonly consume: (numbers: Generated<number>) => Promise<void>;
  /** What has to come out of the scope that the generator belongs to. */
  readonly expected: (flaws: Flaws) => unknown[];
}

/** A `finally` that throws replaces what was thrown before it: the language does that. */
const atTheEnd = ({ fails, failsToClose }: Flaws) => (failsToClose ? [inFinally] : fails ? [inGenerator] : []);
const onClosing = ({ failsToClose }: Flaws) => (failsToClose ? [inFinally] : []);

const ways: Readonly<Record<string, Way>> = {
  "a loop to the end": {
    consume: async (numbers) => {
      for await (const _ of numbers);
    },
    expected: atTheEnd,
  },
  "receives to the end": {
    consume: async (numbers) => {
      for (let i = 0; i < 2; i++) await numbers.receive();
      const end = await rejectionOf(numbers.receive());
      if ((end as Error).name !== "EndOfChannel") throw end;
    },
    expected: atTheEnd,
  },
  "a loop to the end, its error caught": {
    consume: async (numbers) => {
      try {
        for await (const _ of numbers);
      } catch {}
    },
    expected: () => [],
  },
  break: {
    consume: async (numbers) => {
      for await (const _ of numbers) break;
    },
    expected: onClosing,
  },
  "a break whose error is caught": {
    consume: async (numbers) => {
      try {
        for await (const _ of numbers) break;
      } catch (error) {
        expect(error).toBe(inFinally);
      }
    },
    expected: onClosing,
  },
  "a throw": {
    consume: async (numbers) => {
      for await (const _ of numbers) throw inLoop;
    },
    expected: (flaws) => [inLoop, ...onClosing(flaws)],
  },
  "a throw that is caught": {
    consume: async (numbers) => {
      try {
        for await (const _ of numbers) throw inLoop;
      } catch (error) {
        expect(error).toBe(inLoop);
      }
    },
    expected: onClosing,
  },
  "a cancellation in the body of the loop": {
    consume: async (numbers) => {
      const scope = new CancelScope();
      await scope.run(async () => {
        for await (const _ of numbers) {
          scope.cancel();
          await checkpoint();
        }
      });
    },
    expected: onClosing,
  },
  "a cancellation of the loop while it waits": {
    consume: async (numbers) => {
      const scope = new CancelScope();
      await scope.run(async () => {
        for await (const _ of numbers) scope.cancel();
      });
    },
    expected: onClosing,
  },
  "close()": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.close();
    },
    expected: onClosing,
  },
  "close(), its error caught": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.close().catch(() => {});
    },
    expected: () => [],
  },
  "close() twice": {
    consume: async (numbers) => {
      await numbers.receive();
      const outcomes = await Promise.allSettled([numbers.close(), numbers.close()]);
      await numbers.close();
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    },
    expected: onClosing,
  },
  "close(), its error caught, and a return() at the same time": {
    consume: async (numbers) => {
      await numbers.receive();
      await Promise.allSettled([numbers.close(), numbers[Symbol.asyncIterator]().return?.()]);
    },
    expected: () => [],
  },
  "await using, and a throw": {
    consume: async (numbers) => {
      await using using = numbers;
      await using.receive();
      throw inLoop;
    },
    expected: (flaws) => [...onClosing(flaws), inLoop],
  },
  "await using, and a loop that is left by a break": {
    consume: async (numbers) => {
      await using using = numbers;
      for await (const _ of using) break;
    },
    expected: onClosing,
  },
  nothing: {
    consume: async () => {},
    expected: () => [],
  },
  "one item, and no more": {
    consume: async (numbers) => {
      await numbers.receive();
    },
    expected: onClosing,
  },
  "one item, and no more, and a throw": {
    consume: async (numbers) => {
      await numbers.receive();
      throw inLoop;
    },
    expected: (flaws) => [inLoop, ...onClosing(flaws)],
  },
  "a failure that nobody was there to receive, and no more": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.receive();
      await withdrawnReceive(numbers);
    },
    expected: atTheEnd,
  },
  "a failure that nobody was there to receive, and a later receive": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.receive();
      await withdrawnReceive(numbers);
      await numbers.receive().catch((error) => {
        if (error.name !== "EndOfChannel") throw error;
      });
    },
    expected: atTheEnd,
  },
  "a failure that nobody was there to receive, and a later receive that is caught": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.receive();
      await withdrawnReceive(numbers);
      await numbers.receive().catch(() => {});
      await numbers.close();
    },
    expected: () => [],
  },
  "a failure that nobody was there to receive, and a close() that is caught": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.receive();
      await withdrawnReceive(numbers);
      await numbers.close().catch(() => {});
    },
    expected: () => [],
  },
  "a failure that nobody was there to receive, and a return() that is caught": {
    consume: async (numbers) => {
      await numbers.receive();
      await numbers.receive();
      await withdrawnReceive(numbers);
      await numbers[Symbol.asyncIterator]()
        .return?.()
        .catch(() => {});
      await numbers.close();
    },
    expected: atTheEnd,
  },
  "two tasks, one of which leaves its loop": {
    consume: (numbers) =>
      openNursery((nursery) => {
        nursery.startSoon(async () => {
          for await (const _ of numbers) break;
        });
        nursery.startSoon(async () => {
          await sleep(10);
        });
      }),
    expected: onClosing,
  },
};

/** Asks for an item, and gives up while the generator is on its way. */
async function withdrawnReceive(numbers: Generated<number>): Promise<void> {
  await moveOnAfter(5, () => numbers.receive());
  await sleep(10);
}

/** What the generator belongs to. Resolves to what comes out of it. */
const owners: Readonly<Record<string, (body: () => Promise<void>) => Promise<unknown>>> = {
  "a scope": (body) => outcomeOf(new CancelScope().run(body)),
  "a scope that is cancelled in the end": (body) =>
    outcomeOf(
      new CancelScope().run(async (scope) => {
        await body();
        scope.cancel();
        await checkpoint();
      }),
    ),
  "a nursery": (body) => outcomeOf(openNursery(body)),
  "a nursery with other tasks": (body) =>
    outcomeOf(
      openNursery(async (nursery) => {
        nursery.startSoon(sleepForever, { background: true });
        nursery.startSoon(() => sleep(5));
        await body();
      }),
    ),
  "a task": (body) =>
    outcomeOf(
      openNursery((nursery) => {
        nursery.startSoon(body);
      }),
    ),
  "the body of run()": (body) => outcomeOf(run(body)),
};

async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(Object.entries(owners))("of a generator that belongs to %s, no error is lost and none is told twice:", (_, own) => {
  test.each(Object.entries(ways))("%s", async (_, { consume, expected }) => {
    for (const flaws of everyFlaw) {
      for (const schedule of [0, 1, 2, 3, 4, 5]) {
        const error = await simulate(() => own(() => consume(generate(flawed(flaws)))), { pick: pickOf(schedule) });
        const wanted = expected(flaws);
        expect([flaws, error === undefined ? [] : leaves(error)]).toEqual([flaws, wanted]);
        if (wanted.length === 1) expect(error).toBe(wanted[0]);
      }
    }
  });
});

test("a body that throws after the generator had failed unheard has both told, in order of occurrence", async () => {
  await simulate(async () => {
    for (const own of [owners["a scope"], owners["a task"], owners["the body of run()"]]) {
      const error = await own?.(async () => {
        try {
          for await (const _ of generate(flawed({ fails: false, failsToClose: true }))) break;
        } catch {}
        throw inLoop;
      });
      expect(error).toMatchObject({ name: "ErrorGroup", errors: [inLoop, inFinally] });
    }
  });
});

test("an error that looks like an abort is a failure all the same, while nothing is cancelled but the generator", async () => {
  await simulate(async () => {
    const abort = new DOMException("of somebody else", "AbortError");
    async function* numbers() {
      yield 1;
      throw abort;
    }
    const loop = async () => {
      for await (const _ of generate(numbers));
    };
    expect(await rejectionOf(loop())).toBe(abort);
  });
});

test("that a generator fails by a ClosedResourceError while it is being closed is a failure", async () => {
  await simulate(async () => {
    const error = new ClosedResourceError("of somebody else");
    async function* numbers() {
      try {
        await sleepForever();
        yield 1;
      } catch {
        throw error;
      }
    }
    const loop = new CancelScope({ timeout: 5 }).run(async () => {
      for await (const _ of generate(numbers));
    });
    expect(await rejectionOf(loop)).toBe(error);
  });
});

test("that a generator fails by the EndOfChannel of another one is a failure, not its end", async () => {
  await simulate(async () => {
    async function* none() {}
    async function* numbers() {
      yield 1;
      yield await generate(none).receive();
    }
    const seen: unknown[] = [];
    const loop = async () => {
      for await (const item of generate(numbers)) seen.push(item);
    };
    expect(await rejectionOf(loop())).toMatchObject({ name: "EndOfChannel" });
    expect(seen).toEqual([1]);
  });
});

test("undefined may be thrown", async () => {
  await simulate(async () => {
    async function* numbers() {
      try {
        yield 1;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what is tested
        throw undefined;
      }
    }
    const first = generate(numbers);
    await first.receive();
    expect(await Promise.allSettled([first.close()])).toEqual([{ status: "rejected", reason: undefined }]);
    const second = new CancelScope().run(async () => {
      await generate(numbers).receive();
    });
    expect(await Promise.allSettled([second])).toEqual([{ status: "rejected", reason: undefined }]);
    const loop = async () => {
      for await (const _ of generate(numbers));
    };
    expect(await Promise.allSettled([loop()])).toEqual([{ status: "rejected", reason: undefined }]);
  });
});
