import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  Event,
  type Generated,
  generate,
  moveOnAfter,
  Nursery,
  now,
  openNursery,
  run,
  select,
  shield,
  sleep,
  sleepForever,
  type Task,
  timeout,
} from "../../src/index.js";
import { rejectionAs, rejectionOf, thrownBy, unhandledDuring } from "../kernel/support.js";
import { watchPlatform } from "../rules/r12-platform-watch.js";
import { simulate } from "../support/simulate.js";

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i;
}

async function* forever(): AsyncGenerator<number> {
  for (let i = 0; ; i++) yield i;
}

async function* never(): AsyncGenerator<number> {
  await sleepForever();
  yield 0;
}

function isCancelledNow(scope: CancelScope): boolean {
  return scope.effectiveDeadline === Number.NEGATIVE_INFINITY;
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("where the generator runs", () => {
  test("its ambient scope is its task, whoever asks", async () => {
    await simulate(async (nursery) => {
      const seen: boolean[] = [];
      async function* scopes(task: Task) {
        for (let i = 0; i < 3; i++) {
          seen.push(currentScope() === task, currentTask() === task);
          yield i;
          seen.push(currentScope() === task, currentTask() === task);
          await checkpoint();
        }
      }
      const generated = generate(scopes);
      await generated.receive();
      await new CancelScope().run(() => generated.receive());
      await nursery.startSoon(() => generated.receive()).join();
      await generated.close();
      expect(seen).toEqual(Array(10).fill(true));
    });
  });

  test("its `finally` runs there too, whoever closes it", async () => {
    await simulate(async (nursery) => {
      let ambient: unknown;
      let own: unknown;
      async function* scopes(task: Task) {
        own = task;
        try {
          yield 1;
        } finally {
          ambient = currentScope();
        }
      }
      const generated = generate(scopes);
      await generated.receive();
      await nursery.startSoon(() => generated.close()).join();
      expect(ambient).toBe(own);
    });
  });

  test("its async context is that of whoever called generate()", async () => {
    const storage = new AsyncLocalStorage<string>();
    await simulate(async () => {
      const seen: unknown[] = [];
      const generated = storage.run("caller", () =>
        generate(async function* contexts() {
          try {
            for (;;) yield seen.push(storage.getStore());
          } finally {
            seen.push(storage.getStore());
          }
        }),
      );
      await storage.run("receiver", () => generated.receive());
      await generated.receive();
      await storage.run("closer", () => generated.close());
      expect(seen).toEqual(["caller", "caller", "caller"]);
    });
  });

  test("it belongs to the scope that is passed", async () => {
    await simulate(async (nursery) => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield* forever();
        } finally {
          log.push("closed");
        }
      }
      const owner = new CancelScope({ name: "owner" });
      const given = new Event();
      let generated: Generated<number> | undefined;
      nursery.startSoon(() =>
        owner.run(async () => {
          generated = generate(numbers, owner);
          given.set();
          await sleep(10);
          log.push("owner's body over");
        }),
      );
      await given.wait();
      for await (const _ of generated as Generated<number>) {
        await sleep(3);
        if (now() > 8) break;
      }
      log.push("left the loop");
      expect(log).toEqual(["closed", "left the loop"]);
    });
  });

  test("a consumer elsewhere is told when the scope that it belongs to is left", async () => {
    await simulate(async (nursery) => {
      let generated: Generated<number> | undefined;
      let isTold = false;
      const scope = new CancelScope({ name: "owner" });
      await scope.run(async () => {
        generated = generate(never);
        nursery.startSoon(async () => {
          expect(await rejectionOf((generated as Generated<number>).receive())).toMatchObject({
            name: "TaskCancelledError",
            task: "root > owner > generate",
            message: expect.stringMatching(/^root > owner > generate was cancelled \(.*\), so there are no more items of it$/),
          });
          isTold = true;
        });
        await sleep(1);
      });
      await sleep(1);
      expect(isTold).toBe(true);
      expect(await rejectionOf((generated as Generated<number>).receive())).toMatchObject({ name: "TaskCancelledError" });
    });
  });

  test("asked for the first time after the end of that scope, it says so", async () => {
    await simulate(async () => {
      let generated: Generated<number> | undefined;
      await new CancelScope({ name: "owner" }).run(() => {
        generated = generate(never);
      });
      const message =
        "the scope root > owner has ended: items were wanted of what generate() had made in it. Await what you start, or start it in a nursery that lives long enough.";
      expect(await rejectionOf((generated as Generated<number>).receive())).toMatchObject({ name: "ScopeEndedError", message });
      expect(await rejectionOf(listOf(generated as Generated<number>))).toMatchObject({ name: "ScopeEndedError" });
      await (generated as Generated<number>).close();
    });
  });

  test("a cancelled owner has it cancelled, also where its consumer is shielded", async () => {
    await simulate(async () => {
      const owner = new CancelScope();
      await owner.run(async () => {
        const generated = generate(forever);
        await generated.receive();
        owner.cancel("enough");
        await shield(async () => {
          expect(await rejectionOf(generated.receive())).toMatchObject({ name: "TaskCancelledError", cause: owner.signal.reason });
          const other = generate(forever, owner);
          expect(await rejectionOf(other.receive())).toMatchObject({ name: "TaskCancelledError", cause: owner.signal.reason });
        });
      });
      expect(owner.cancelledCaught).toBe(false);
    });
  });

  test("cancelled after it was asked, at a yield, it does not go on", async () => {
    for (const pick of [undefined, (n: number) => n - 1]) {
      await simulate(
        async () => {
          let resumed = 0;
          async function* numbers() {
            for (;;) {
              yield 1;
              resumed++;
            }
          }
          const owner = new CancelScope();
          await owner.run(async () => {
            const generated = generate(numbers);
            await generated.receive();
            const waiting = generated.receive();
            owner.cancel();
            await rejectionOf(waiting);
          });
          expect(resumed).toBe(0);
        },
        pick === undefined ? {} : { pick },
      );
    }
  });

  test("however close the cancellation is to its going on: it does not run in a cancelled scope", async () => {
    for (let delay = 0; delay < 16; delay++) {
      await run(async () => {
        const ran: boolean[] = [];
        async function* numbers(task: Task) {
          for (;;) {
            ran.push(isCancelledNow(task));
            yield 1;
          }
        }
        const owner = new CancelScope();
        await owner.run(async () => {
          const generated = generate(numbers);
          await generated.receive();
          const waiting = generated.receive();
          for (let i = 0; i < delay; i++) await null;
          owner.cancel();
          await waiting;
        });
        expect(ran).toEqual(ran.map(() => false));
      });
    }
  });

  test("asked by somebody who was cancelled at once, its function is not called", async () => {
    await simulate(async () => {
      let calls = 0;
      const generated = generate(() => {
        calls++;
        return count(3);
      });
      const scope = new CancelScope();
      await scope.run(async () => {
        const waiting = generated.receive();
        scope.cancel();
        await waiting;
      });
      await sleep(10);
      expect(calls).toBe(0);
      expect(await generated.receive()).toBe(0);
      expect(calls).toBe(1);
    });
  });

  test("its own deadline closes it, also at a yield; whoever asks then is told", async () => {
    await simulate(async () => {
      let closedAt: number | undefined;
      async function* numbers(task: Task) {
        task.deadline = now() + 10;
        try {
          yield* forever();
        } finally {
          closedAt = now();
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      await sleep(50);
      expect(closedAt).toBe(10);
      expect(await rejectionOf(generated.receive())).toMatchObject({
        name: "TaskCancelledError",
        message:
          "root > generate was cancelled (AbortError: cancelled: the deadline of root > generate > numbers passed), so there are no more items of it",
      });
    });
  });

  test("closing reaches it at a yield, also if it has raised the shield of its task", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers(task: Task) {
        task.shield = true;
        try {
          yield 1;
        } finally {
          await sleep(10);
          log.push(`closed at ${now()}`);
        }
      }
      for await (const _ of generate(numbers)) break;
      expect(log).toEqual(["closed at 10"]);
    });
  });
});

describe("how it is closed", () => {
  test("its `finally` blocks are in a cancelled scope: a checkpoint throws there, in a shield it does not", async () => {
    await simulate(async () => {
      const log: unknown[] = [];
      async function* numbers() {
        try {
          try {
            yield 1;
          } finally {
            await shield(() => sleep(5));
            log.push(now());
          }
        } finally {
          await checkpoint().catch((error: unknown) => log.push(error));
          log.push("last");
        }
      }
      for await (const _ of generate(numbers)) break;
      expect(log).toEqual([5, expect.any(Cancelled), "last"]);
      expect(log[1]).toMatchObject({
        kind: "shutdown",
        message: 'cancelled: what root > generate belongs to has ended: "nobody receives from it any more"',
      });
    });
  });

  test("a `finally` that is cut off by the cancellation is no failure", async () => {
    await simulate(async () => {
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await sleep(10);
        }
      }
      for await (const _ of generate(numbers)) break;
      expect(now()).toBe(0);
    });
  });

  test("the inner generators of a yield* are closed, the innermost first", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* inner() {
        try {
          yield* forever();
        } finally {
          log.push("inner");
        }
      }
      async function* outer() {
        try {
          yield* inner();
        } finally {
          log.push("outer");
        }
      }
      for await (const item of generate(outer)) if (item === 2) break;
      expect(log).toEqual(["inner", "outer"]);
    });
  });

  test("closing waits for a generator that swallows the cancellation, and drops what it yields then", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          await sleep(5).catch(() => log.push("swallowed"));
          await shield(() => sleep(10));
          yield 1;
          log.push("unreachable");
        } finally {
          log.push(`finally at ${now()}`);
        }
      }
      const generated = generate(numbers);
      await moveOnAfter(2, () => listOf(generated));
      expect([log, now()]).toEqual([["swallowed", "finally at 12"], 12]);
    });
  });

  test("a generator that never ends holds up whoever closes it, and a deadlock report says so", async () => {
    const stuck = simulate(async () => {
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await shield(sleepForever);
        }
      }
      for await (const _ of generate(numbers)) break;
    });
    const { message } = await rejectionAs(Error, stuck);
    expect(message.split("\n").slice(1)).toEqual([
      "  main waits: close Generated of generate()",
      "  root > generate > numbers waits: sleep",
    ]);
  });

  test("a deadlock report names who waits for an item, and who waits to be asked", async () => {
    const stuck = simulate(async () => {
      const idle = generate(forever);
      await idle.receive();
      const busy = generate(never);
      await busy.receive();
    });
    const { message } = await rejectionAs(Error, stuck);
    expect(message.split("\n").slice(1).sort()).toEqual([
      "  main waits: receive Generated of generate()",
      "  root > generate > forever waits: wait to be asked Generated of generate()",
      "  root > generate > never waits: sleep",
    ]);
  });

  test("a deadlock report says which task it is that waits for the end", async () => {
    const stuck = simulate(async (nursery) => {
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await shield(sleepForever);
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      nursery.startSoon(() => generated.close(), { name: "closer" });
    });
    const { message } = await rejectionAs(Error, stuck);
    expect(message).toContain("  root > closer waits: close Generated of generate()");
  });

  test("closed by what floats in a scope that has ended, it waits in the scope that it belongs to", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          yield 1;
        } finally {
          await shield(() => sleep(10));
        }
      }
      const event = new Event();
      await new CancelScope({ name: "owner" }).run(async (owner) => {
        const generated = generate(numbers);
        await generated.receive();
        let floating: Promise<unknown> | undefined;
        await new CancelScope().run(() => {
          floating = Promise.resolve(event.wait(owner))
            .then(() => generated.close())
            .then(() => log.push(`closed at ${now(owner)}`));
        });
        event.set();
        await checkpoint();
        await floating;
        log.push("left");
      });
      expect(log).toEqual(["closed at 10", "left"]);
    });
  });

  test("a generator that is idle is nothing that its owner waits for: it may await something foreign", async () => {
    await simulate(async () => {
      await generate(forever).receive();
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
  });

  test("a yield in a `finally` is misuse: the generator is ended, and that is told", async () => {
    await simulate(async () => {
      const log: string[] = [];
      async function* numbers() {
        try {
          try {
            yield 1;
          } finally {
            yield 2;
            log.push("skipped");
          }
        } finally {
          log.push("outer finally");
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      expect(await rejectionOf(generated.close())).toMatchObject({
        name: "UsageError",
        message:
          "the generator of root > generate > numbers yielded while it was being closed, so the item went nowhere and what follows in that block was skipped. Do not yield in a `finally`",
      });
      expect(log).toEqual(["outer finally"]);
    });
  });

  test("so is a generator that cannot be ended", async () => {
    await simulate(async () => {
      let told = 0;
      async function* numbers() {
        for (;;) {
          try {
            yield 1;
          } finally {
            told++;
            // biome-ignore lint/correctness/noUnsafeFinally: what is tested
            if (told > 0) continue;
          }
        }
      }
      const generated = generate(numbers);
      await generated.receive();
      expect(await rejectionOf(generated.close())).toMatchObject({ name: "UsageError" });
      expect(told).toBe(101);
    });
  });

  test("a close that nobody awaits reports its failure as unhandled, and a cancellation not", async () => {
    const boom = new Error("boom");
    const unhandled = await unhandledDuring(() =>
      run(async () => {
        async function* numbers() {
          try {
            yield 1;
          } finally {
            // biome-ignore lint/correctness/noUnsafeFinally: what is tested
            throw boom;
          }
        }
        const failing = generate(numbers);
        await failing.receive();
        void failing.close();
        const fine = generate(never);
        void fine[Symbol.asyncIterator]().next();
        await checkpoint();
      }),
    );
    expect(unhandled).toEqual([boom]);
  });

  test("nothing is left on the platform, and no listener on a foreign signal", async () => {
    const { controllers, added, removed, ticking } = await watchPlatform(async () => {
      const controller = new AbortController();
      await run(async () => {
        for (let i = 0; i < 3; i++) {
          for await (const item of generate(forever, controller)) if (item === 3) break;
          await generate(() => count(2), controller).receive();
          generate(forever, controller);
        }
      });
    });
    // One is that of the test.
    expect({ controllers, added, removed, ticking }).toEqual({ controllers: 1, added, removed: added, ticking: 0 });
    expect(added).toBeGreaterThan(0);
  });
});

describe("with a foreign signal", () => {
  test("the generator is cancelled by it, and belongs to the ambient scope", async () => {
    await simulate(async () => {
      const controller = new AbortController();
      const log: string[] = [];
      async function* numbers() {
        try {
          yield* forever();
        } finally {
          log.push("closed");
        }
      }
      const generated = generate(numbers, controller);
      expect(await generated.receive()).toBe(0);
      controller.abort("foreign");
      expect(await rejectionOf(generated.receive())).toMatchObject({
        name: "TaskCancelledError",
        message: expect.stringContaining('the signal given to root > signal was aborted: "foreign"'),
      });
      expect(log).toEqual(["closed"]);
      const late = generate(numbers, controller);
      expect(await rejectionOf(late.receive())).toMatchObject({ name: "TaskCancelledError" });
      const abandoned = new CancelScope().run(async () => {
        await generate(numbers, new AbortController()).receive();
      });
      await abandoned;
      expect(log).toEqual(["closed", "closed"]);
    });
  });

  test("a loop may wait under another one, and leaves when that is aborted", async () => {
    await simulate(async (nursery) => {
      const controller = new AbortController();
      const log: string[] = [];
      async function* numbers() {
        try {
          yield* never();
        } finally {
          log.push(`closed at ${now()}`);
        }
      }
      const generated = generate(numbers);
      nursery.startSoon(async () => {
        await sleep(5);
        controller.abort("foreign");
      });
      expect(await rejectionOf(listOf(generated.values(controller)))).toMatchObject({ name: "AbortError", cause: "foreign" });
      expect(log).toEqual(["closed at 5"]);
    });
  });

  test("outside of a run there is nothing that it could belong to", () => {
    expect(thrownBy(() => generate(forever, new AbortController()))).toMatchObject({
      name: "UsageError",
      message: "generate() belongs to the scope it is called in, and there is none, only a signal: call it inside run()",
    });
    expect(thrownBy(() => generate(forever))).toMatchObject({ name: "MissingScopeError" });
  });
});

describe("where scopes are passed as arguments", () => {
  const explicit = (body: (root: Nursery) => Promise<void>) => simulate(body, { ambient: false });

  test("a loop waits in the scope that generate() was given", async () => {
    await explicit(async (root) => {
      async function* numbers(task: Task) {
        for (let i = 0; i < 3; i++) {
          await sleep(10, task);
          yield i;
        }
      }
      expect(await listOf(generate(numbers, root))).toEqual([0, 1, 2]);
      const outcome = new CancelScope({ timeout: 15 }).run(async (scope) => {
        expect(await listOf(generate(numbers, scope))).toEqual([]);
      }, root);
      expect(await outcome).toBe(undefined);
      expect(now(root)).toBe(45);
    });
  });

  test("or in that which values() is given; a receive needs one", async () => {
    await explicit(async (root) => {
      async function* numbers(task: Task) {
        yield 1;
        await sleepForever(task);
      }
      const generated = generate(numbers, root);
      const scope = new CancelScope({ timeout: 15 });
      await scope.run(() => listOf(generated.values(scope)), root);
      expect([scope.cancelledCaught, now(root)]).toEqual([true, 15]);
      expect(await rejectionOf(generated.receive())).toMatchObject({ name: "MissingScopeError" });
      expect(await rejectionOf(generated.receive(root))).toMatchObject({ name: "ClosedResourceError" });
    });
  });

  test("leaving the loop closes the generator", async () => {
    await explicit(async (root) => {
      let isClosed = false;
      async function* numbers(task: Task) {
        try {
          for (;;) yield 1;
        } finally {
          await shield(() => sleep(5, task).catch(() => {}), task);
          isClosed = true;
        }
      }
      for await (const _ of generate(numbers, root)) break;
      expect(isClosed).toBe(true);
    });
  });
});

describe("as a case of select", () => {
  test("it receives, and its end can be had as an error or as a result", async () => {
    await simulate(async () => {
      const generated = generate(() => count(2));
      const got: unknown[] = [];
      for (let i = 0; i < 2; i++) got.push(await select({ item: generated, late: timeout(10) }));
      got.push(await select({ item: generated.orEnd, late: timeout(10) }));
      got.push(await rejectionOf(select({ item: generated, late: timeout(10) })));
      const other = generate(() => count(1));
      got.push(await select({ item: other.orEnd }), await rejectionOf(select({ item: other })));
      expect(got).toEqual([
        { key: "item", value: 0 },
        { key: "item", value: 1 },
        { key: "item", value: { done: true, value: undefined } },
        expect.objectContaining({ name: "EndOfChannel" }),
        { key: "item", value: { done: false, value: 0 } },
        expect.objectContaining({ name: "EndOfChannel" }),
      ]);
    });
  });

  test("the item of one that was not chosen is there for the next who asks", async () => {
    await simulate(async () => {
      async function* slow() {
        for (let i = 0; ; i++) {
          await sleep(10);
          yield i;
        }
      }
      const generated = generate(slow);
      expect(await select({ item: generated, late: timeout(5) })).toEqual({ key: "late", value: undefined });
      await sleep(10);
      expect([await select({ item: generated, late: timeout(0) }), now()]).toEqual([{ key: "item", value: 0 }, 15]);
    });
  });

  test("it is not asked if another case can be done at once, nor entered", async () => {
    await simulate(async () => {
      const event = new Event();
      event.set();
      const generated = generate(() => {
        throw new Error("entered");
      });
      expect(await select({ event, item: generated })).toMatchObject({ key: "event" });
    });
  });

  test("what it throws, select throws, and closing it ends the select", async () => {
    await simulate(async (nursery) => {
      const boom = new Error("boom");
      const failing = generate(async function* () {
        yield* count(0);
        throw boom;
      });
      expect(await rejectionOf(select({ item: failing }))).toBe(boom);
      const generated = generate(never);
      nursery.startSoon(async () => {
        await sleep(1);
        await generated.close();
      });
      expect(await rejectionOf(select({ item: generated }))).toMatchObject({ name: "ClosedResourceError" });
      expect(await rejectionOf(select({ item: generated.orEnd }))).toMatchObject({ name: "ClosedResourceError" });
    });
  });

  test("if the scope that it belongs to has ended, select is told and leaves nothing behind", async () => {
    await simulate(async () => {
      let generated: Generated<number> | undefined;
      await new CancelScope().run(() => {
        generated = generate(never);
      });
      expect(await rejectionOf(select({ item: generated as Generated<number> }))).toMatchObject({ name: "ScopeEndedError" });
    });
  });
});

describe("what it takes", () => {
  test("a generator that is not asynchronous, and any iterable", async () => {
    await simulate(async () => {
      const log: string[] = [];
      function* numbers() {
        try {
          yield 1;
          yield 2;
        } finally {
          log.push("closed");
        }
      }
      expect(await listOf(generate(numbers))).toEqual([1, 2]);
      for await (const _ of generate(numbers)) break;
      expect(log).toEqual(["closed", "closed"]);
      expect(await listOf(generate(() => [1, Promise.resolve(2)]))).toEqual([1, 2]);
      expect(await listOf(generate(() => new Set("ab")))).toEqual(["a", "b"]);
    });
  });

  test("another generate(): it is a generator like any other", async () => {
    await simulate(async () => {
      expect(await listOf(generate(() => generate(() => generate(() => count(3)))))).toEqual([0, 1, 2]);
    });
  });

  test("what is wrong is told at the call", async () => {
    await simulate(async () => {
      expect(thrownBy(() => generate(count(3) as never))).toMatchObject({
        name: "UsageError",
        message: "generate() takes the function that makes a generator, not the generator: pass () => numbers(), not numbers()",
      });
      expect(thrownBy(() => generate(3 as never))).toMatchObject({ name: "UsageError", message: "generate() takes a function, not 3" });
      expect(thrownBy(() => generate(forever, 3 as never))).toBeInstanceOf(TypeError);
      const ended = new CancelScope({ name: "ended" });
      await ended.run(() => {});
      expect(thrownBy(() => generate(forever, ended))).toMatchObject({
        name: "ScopeEndedError",
        message: expect.stringContaining("the scope root > ended has ended: generate() was called in it"),
      });
    });
  });

  test("what is wrong with what the function returns is told to who asks", async () => {
    await simulate(async () => {
      const asked = (fn: () => unknown) => rejectionOf(generate(fn as () => AsyncIterable<never>).receive());
      const expected = "generate() takes an async generator function, as async function* () { ... }, and this one returned ";
      expect(await asked(async () => [1])).toMatchObject({
        name: "TypeError",
        message: `${expected}a promise, which an \`async function\` without the asterisk returns`,
      });
      expect(await asked(() => undefined)).toMatchObject({ name: "TypeError", message: `${expected}undefined` });
      expect(await asked(() => null)).toMatchObject({ name: "TypeError", message: `${expected}null` });
      expect(await asked(() => ({}))).toMatchObject({ name: "TypeError", message: `${expected}an object` });
      const boom = new Error("boom");
      expect(
        await asked(() => {
          throw boom;
        }),
      ).toBe(boom);
    });
  });

  test("an iterator that is left keeps to the protocol", async () => {
    await simulate(async () => {
      const generated = generate(() => count(9));
      const iterator = generated[Symbol.asyncIterator]();
      expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
      expect(await iterator.next()).toEqual({ done: false, value: 0 });
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      const guest = generate(() => count(9));
      const visit = guest.values({ preventCancel: true });
      await visit.next();
      await visit.return?.();
      expect(await visit.next()).toEqual({ done: true, value: undefined });
      expect(await guest.receive()).toBe(1);
    });
  });

  test("a guest that is cancelled leaves it open", async () => {
    await simulate(async () => {
      async function* slow() {
        for (let i = 0; ; i++) {
          await sleep(10);
          yield i;
        }
      }
      const generated = generate(slow);
      await moveOnAfter(15, async () => {
        for await (const _ of generated.values({ preventCancel: true }));
      });
      expect([await generated.receive(), now()]).toEqual([1, 20]);
    });
  });

  test("types", () => {
    const check = () => {
      expectTypeOf(generate(() => count(3))).toEqualTypeOf<Generated<number>>();
      expectTypeOf(
        generate(async function* (task) {
          expectTypeOf(task).toEqualTypeOf<Task>();
          yield "text";
        }),
      ).toEqualTypeOf<Generated<string>>();
      expectTypeOf(generate(() => [1, 2])).toEqualTypeOf<Generated<number>>();
      expectTypeOf(generate(() => [Promise.resolve(1)])).toEqualTypeOf<Generated<number>>();
      expectTypeOf(generate(() => count(3)).receive()).toEqualTypeOf<Promise<number>>();
      expectTypeOf<Generated<1>>().toExtend<Generated<number>>();
      expectTypeOf<Generated<number>>().toExtend<AsyncIterable<unknown>>();
      // @ts-expect-error a generator is not a function
      generate(count(3));
      // @ts-expect-error a promise is no iterable
      generate(async () => [1]);
    };
    expect(check).toBeTypeOf("function");
  });
});

describe("in real time", () => {
  test("a generator that does not wait starves nobody", async () => {
    await run(async () => {
      let hasTurned = false;
      setTimeout(() => {
        hasTurned = true;
      }, 5);
      for await (const _ of generate(forever)) if (hasTurned) break;
    });
  });

  test("a nursery in a generator spans its yields", async () => {
    await run(async () => {
      async function* squares() {
        await using nursery = Nursery.open();
        const tasks = [1, 2, 3].map((n) => nursery.startSoon(async () => n * n));
        for (const task of tasks) yield await task.join();
        await nursery.join();
      }
      const seen: number[] = [];
      await openNursery(async () => {
        for await (const square of generate(squares)) seen.push(square);
      });
      expect(seen).toEqual([1, 4, 9]);
    });
  });
});
