import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EndOfChannel, openMemoryChannel, run, select, sleep } from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const RUNTIMES = [
  ["in simulated time", simulate],
  ["in production", run],
] as const;

/** Ways for an item to come out of a channel: from the buffer, to somebody who waits, from somebody who waits. */
type Way = (item: unknown) => Promise<unknown>;

async function ofNext(next: Promise<IteratorResult<unknown, undefined>>): Promise<unknown> {
  const { done, value } = await next;
  expect(done).toBe(false);
  return [value];
}

/** All ways to receive, by all ways to send. Wrapped, so that a promise is not awaited on its way out of here. */
function ways(): readonly (readonly [name: string, way: Way])[] {
  const receiving: Readonly<Record<string, (channel: ReturnType<typeof openMemoryChannel<unknown>>) => Promise<unknown>>> = {
    "receive()": async ({ receive }) => [await receive.receive()],
    "for await": ({ receive }) => ofNext(receive.values().next()),
    "select()": async ({ receive }) => [(await select({ item: receive })).value],
    "select() of orEnd": async ({ receive }) => {
      const { value } = await select({ item: receive.orEnd });
      expect(value.done).toBe(false);
      return [value.value];
    },
  };
  const sending: Readonly<Record<string, (channel: ReturnType<typeof openMemoryChannel<unknown>>, item: unknown) => Promise<unknown>>> = {
    "send()": ({ send }, item) => send.send(item),
    "sendNowait()": async ({ send }, item) => send.sendNowait(item),
    "select()": ({ send }, item) => select({ sent: send.sending(item) }),
  };
  const all: [string, Way][] = [];
  for (const [received, receive] of Object.entries(receiving)) {
    for (const [sent, send] of Object.entries(sending)) {
      for (const order of ["before", "after"] as const) {
        for (const capacity of order === "before" && sent === "sendNowait()" ? [1] : [0, 1]) {
          const name = `${received} of ${sent} ${order}, capacity ${capacity}`;
          all.push([
            name,
            async (item) => {
              const channel = openMemoryChannel<unknown>(capacity);
              const first = order === "before" ? send(channel, item) : receive(channel);
              await sleep(1);
              const second = order === "before" ? receive(channel) : send(channel, item);
              const [one, other] = await Promise.all([first, second]);
              return order === "before" ? other : one;
            },
          ]);
        }
      }
    }
  }
  return all;
}

describe.each(RUNTIMES)("what is sent is what is received, %s:", (_, go) => {
  const error = new Error("an item");
  const items: readonly (readonly [string, unknown])[] = [
    ["undefined", undefined],
    ["null", null],
    ["NaN", Number.NaN],
    ["-0", -0],
    ["0n", 0n],
    ["an empty string", ""],
    ["a symbol", Symbol("item")],
    ["a function", () => 1],
    ["an error", error],
    ["an EndOfChannel", new EndOfChannel("an item")],
    ["the result of an iterator", { done: true, value: undefined }],
    ["an object without a prototype", Object.create(null)],
    ["a revoked proxy", revoked()],
  ];

  test.each(items)("%s", async (name, item) => {
    await go(async () => {
      for (const [way, through] of ways()) {
        // A promise asks what it is resolved to whether it is a promise, and that proxy does not answer.
        if (name === "a revoked proxy" && way.startsWith("receive()")) continue;
        const [got] = (await through(item)) as [unknown];
        expect([way, Object.is(got, item)]).toEqual([way, true]);
      }
    });
  });

  test("anything", async () => {
    await go(async () => {
      const all = ways();
      await fc.assert(
        fc.asyncProperty(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), fc.nat(), async (item, n) => {
          const [, through] = all[n % all.length] as (typeof all)[number];
          const [got] = (await through(item)) as [unknown];
          expect(Object.is(got, item)).toBe(true);
        }),
      );
    });
  });

  test("a promise, but for receive(), which awaits it", async () => {
    await go(async () => {
      for (const [way, through] of ways()) {
        const promise = Promise.resolve("value");
        const [got] = (await through(promise)) as [unknown];
        expect([way, got === promise]).toEqual([way, !way.startsWith("receive()")]);
        expect(await got).toBe("value");
        const boom = new Error("boom");
        const rejected = Promise.reject(boom);
        rejected.catch(() => {});
        if (way.startsWith("receive()")) expect(await rejectionOf(through(rejected))).toBe(boom);
        else expect(((await through(rejected)) as [unknown])[0]).toBe(rejected);
        const wrapped = { promise };
        expect(((await through(wrapped)) as [unknown])[0]).toBe(wrapped);
      }
    });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test("receiveNowait() awaits no promise", () => {
  const { send, receive } = openMemoryChannel<Promise<string>>(1);
  const promise = Promise.resolve("value");
  send.sendNowait(promise);
  expect(receive.receiveNowait()).toBe(promise);
});

test("a channel of channels", async () => {
  await simulate(async (nursery) => {
    const questions = openMemoryChannel<readonly [question: number, answer: ReturnType<typeof openMemoryChannel<number>>["send"]]>(0);
    nursery.startSoon(async () => {
      for await (const [question, answer] of questions.receive) await answer.send(question * 2);
    });
    const answers = openMemoryChannel<number>(0);
    for (let i = 0; i < 3; i++) {
      await questions.send.send([i, answers.send]);
      expect(await answers.receive.receive()).toBe(i * 2);
    }
    questions.send.close();
  });
});
