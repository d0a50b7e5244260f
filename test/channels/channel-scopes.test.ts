import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  Cancelled,
  CancelScope,
  DeadlockError,
  Event,
  openMemoryChannel,
  run,
  select,
  selectFair,
  sleep,
  timeout,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { turns, watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { drain, waiting, watch } from "./support.js";

/** An operation that waits on a channel, and one with which somebody else ends the wait. */
interface Waiting {
  readonly wait: (scope?: Cancellable) => Promise<unknown>;
  readonly end: () => unknown;
  /** What it resolves to then. */
  readonly result: unknown;
  /** Nothing of it is left in the channel. */
  readonly isClean: () => boolean;
}

const WAITING: Readonly<Record<string, () => Waiting>> = {
  "send()": () => {
    const { send, receive } = openMemoryChannel<number>(0);
    const isClean = () => waiting(send).every((count) => count === 0) && drain(receive).length === 0;
    return { wait: (scope) => send.send(1, scope), end: () => receive.receiveNowait(), result: undefined, isClean };
  },
  "receive()": () => {
    const { send, receive } = openMemoryChannel<number>(0);
    return {
      wait: (scope) => receive.receive(scope),
      end: () => send.sendNowait(1),
      result: 1,
      isClean: () => waiting(send).every((count) => count === 0),
    };
  },
  "for await": () => {
    const { send, receive } = openMemoryChannel<number>(0);
    return {
      wait: (scope) => receive.values({ signal: scope?.signal, preventCancel: true }).next(),
      end: () => send.sendNowait(1),
      result: { done: false, value: 1 },
      isClean: () => waiting(send).every((count) => count === 0),
    };
  },
  "select()": () => {
    const { send, receive } = openMemoryChannel<number>(0);
    const event = new Event();
    return {
      wait: (scope) => select({ item: receive, sent: send.sending(1), event, late: timeout(1e6) }, scope),
      end: () => event.set(),
      result: { key: "event", value: undefined },
      isClean: () => waiting(send).every((count) => count === 0) && event.statistics().tasksWaiting === 0,
    };
  },
  "selectFair()": () => {
    const { send, receive } = openMemoryChannel<number>(0);
    return {
      wait: (scope) => selectFair({ never: new Event(), or: receive.orEnd }, scope),
      end: () => send.sendNowait(1),
      result: { key: "or", value: { done: false, value: 1 } },
      isClean: () => waiting(send).every((count) => count === 0),
    };
  },
};

describe.each(Object.entries(WAITING))("%s", (_, make) => {
  test("R12: under a foreign signal it leaves no listener, whichever way it ends", async () => {
    const { unhandled, uncaught } = await watchProcess(async () => {
      for (const isInRun of [true, false]) {
        for (const ending of ["done", "aborted meanwhile", "aborted before"] as const) {
          const controller = new AbortController();
          const { signal } = controller;
          const body = async () => {
            const { wait, end, result, isClean } = make();
            if (ending === "aborted before") controller.abort("before");
            const call = watch(wait({ signal }));
            await turns(1);
            expect(getEventListeners(signal, "abort")).toHaveLength(ending === "aborted before" ? 0 : 1);
            if (ending === "done") end();
            else controller.abort("meanwhile");
            expect(isClean()).toBe(true);
            await (isInRun ? sleep(1) : turns(3));
            expect(getEventListeners(signal, "abort")).toEqual([]);
            expect(call.outcome).toEqual(ending === "done" ? { value: result } : { error: expect.any(Cancelled) });
          };
          await (isInRun ? run(body) : body());
        }
      }
    });
    expect([unhandled, uncaught]).toEqual([[], []]);
  });

  test("R17: that nobody awaits is cancelled when its scope is left, and is no unhandled rejection", async () => {
    for (const go of [run, simulate]) {
      const { unhandled, uncaught } = await watchProcess(() =>
        go(async () => {
          const { wait, isClean } = make();
          await new CancelScope().run(() => {
            void wait();
            expect(isClean()).toBe(false);
          });
          expect(isClean()).toBe(true);
        }),
      );
      expect([unhandled, uncaught]).toEqual([[], []]);
    }
  });

  test("is done in the scope that it is passed, also where none is ambient", async () => {
    await run(
      async (root) => {
        const { wait, end, result, isClean } = make();
        await new CancelScope().run(async (scope) => {
          const call = rejectionOf(wait(scope));
          scope.cancel();
          expect(await call).toBe(scope.signal.reason);
        }, root);
        const call = watch(wait(root));
        end();
        await sleep(1, root);
        expect([call.outcome, isClean()]).toEqual([{ value: result }, true]);
      },
      { ambient: false },
    );
  });

  test("is not ended by the cancellation of a scope from which it is shielded", async () => {
    await simulate(async () => {
      const { wait, end, result } = make();
      await new CancelScope().run(async (outer) => {
        await new CancelScope({ shield: true }).run(async () => {
          const call = watch(wait());
          outer.cancel();
          await sleep(5);
          expect(call.outcome).toBe("pending");
          end();
          await sleep(5);
          expect(call.outcome).toEqual({ value: result });
        });
      });
    });
  });
});

test("a report of a deadlock says who waits at what channel, and in which direction", async () => {
  const error = await rejectionOf(
    simulate(async (nursery) => {
      const { send, receive } = openMemoryChannel<number>(2);
      nursery.startSoon(() => receive.receive(), { name: "receiver" });
      nursery.startSoon(() => select({ item: receive.orEnd, stop: new Event(), never: timeout(Number.POSITIVE_INFINITY) }), {
        name: "chooser",
      });
      nursery.startSoon(
        async () => {
          for await (const _ of receive);
        },
        { name: "loop" },
      );
      nursery.startSoon(() => openMemoryChannel<string>(0).send.send("x"), { name: "sender" });
      await openMemoryChannel<string>(Number.POSITIVE_INFINITY).receive.receive();
      send.close();
    }),
  );
  expect(error).toBeInstanceOf(DeadlockError);
  expect((error as DeadlockError).message).toBe(
    [
      "nothing can go on any more, and no time can pass that would change that:",
      "  main waits: receive MemoryChannel of capacity Infinity",
      "  root > receiver waits: receive MemoryChannel of capacity 2",
      "  root > chooser waits: select (item, stop, never)",
      "  root > loop waits: receive MemoryChannel of capacity 2",
      "  root > sender waits: send MemoryChannel of capacity 0",
    ].join("\n"),
  );
});

test("a select that fails with the error of a task, and that nobody awaits, is not reported: the nursery is told as well", async () => {
  const boom = new Error("boom");
  const { unhandled, value } = await watchProcess(() =>
    run(async (nursery) => {
      const task = nursery.startSoon(() => sleep(1).then(() => Promise.reject(boom)));
      void select({ task, late: timeout(1e6) });
    }).catch((error: unknown) => error),
  );
  expect([value, unhandled]).toEqual([boom, []]);
});
