import { describe, expectTypeOf, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  type Cases,
  type Chosen,
  type Event,
  type MemoryChannelEnds,
  type MemoryChannelStatistics,
  type MemoryReceiveChannel,
  type MemorySendChannel,
  openMemoryChannel,
  run,
  type Selectable,
  select,
  selectFair,
  type Task,
  timeout,
  type ValuesOptions,
} from "../../src/index.js";

interface Animal {
  readonly name: string;
}
interface Dog extends Animal {
  bark(): void;
}

declare const scope: CancelScope;
declare const dog: Dog;
declare const animal: Animal;
declare const event: Event;
declare const task: Task<boolean>;

describe("openMemoryChannel()", () => {
  test("gives both ends, as a tuple and by name", () => {
    const channel = openMemoryChannel<string>(1);
    expectTypeOf(channel).toEqualTypeOf<MemoryChannelEnds<string>>();
    const [send, receive] = channel;
    expectTypeOf(send).toEqualTypeOf<MemorySendChannel<string>>();
    expectTypeOf(receive).toEqualTypeOf<MemoryReceiveChannel<string>>();
    expectTypeOf(channel.send).toEqualTypeOf<MemorySendChannel<string>>();
    expectTypeOf(channel.receive).toEqualTypeOf<MemoryReceiveChannel<string>>();
    expectTypeOf(channel.length).toEqualTypeOf<2>();
    // @ts-expect-error They are not to be replaced.
    channel.send = send;
    // @ts-expect-error
    channel[0] = send;
  });

  test("takes a capacity, or none", () => {
    openMemoryChannel<string>();
    openMemoryChannel<string>(undefined);
    openMemoryChannel<string>(Number.POSITIVE_INFINITY);
    // @ts-expect-error
    openMemoryChannel<string>("1");
    // @ts-expect-error
    openMemoryChannel<string>(null);
  });

  test("of what is not said: nothing can be sent that would be of some type", () => {
    expectTypeOf(openMemoryChannel(1).receive.receive()).toEqualTypeOf<Promise<unknown>>();
  });
});

describe("a send end", () => {
  const { send } = openMemoryChannel<Animal>(1);

  test("takes its items, and no others", () => {
    expectTypeOf(send.send(animal)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(send.send(dog, scope)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(send.sendNowait(dog)).toEqualTypeOf<void>();
    expectTypeOf(send.sending(dog)).toEqualTypeOf<Selectable<void>>();
    send.send(dog, { signal: new AbortController().signal });
    // @ts-expect-error
    send.send("a name");
    // @ts-expect-error
    send.sendNowait({ nam: "" });
    // @ts-expect-error
    send.sending(5);
    // @ts-expect-error An item is needed, also where it is undefined.
    send.send();
    // @ts-expect-error
    send.send(dog, 5);
  });

  test("of void can be called with undefined", () => {
    openMemoryChannel<void>(1).send.send(undefined);
    openMemoryChannel<undefined>(1).send.send(undefined);
  });

  test("can be cloned, closed, disposed of and asked", () => {
    expectTypeOf(send.clone()).toEqualTypeOf<MemorySendChannel<Animal>>();
    expectTypeOf(send.close()).toEqualTypeOf<void>();
    expectTypeOf(send.isClosed).toEqualTypeOf<boolean>();
    expectTypeOf(send.statistics()).toEqualTypeOf<MemoryChannelStatistics>();
    expectTypeOf(send).toExtend<Disposable>();
  });

  test("of more may stand for one of less, and not the other way round", () => {
    expectTypeOf<MemorySendChannel<Animal>>().toExtend<MemorySendChannel<Dog>>();
    expectTypeOf<MemorySendChannel<Dog>>().not.toExtend<MemorySendChannel<Animal>>();
    const dogs: MemorySendChannel<Dog> = send;
    // @ts-expect-error Somebody would receive an animal who expects a dog.
    const animals: MemorySendChannel<Animal> = openMemoryChannel<Dog>(1).send;
    expectTypeOf([dogs, animals]).not.toBeAny();
  });

  test("is no receive end, and nothing to choose", () => {
    expectTypeOf<MemorySendChannel<Dog>>().not.toExtend<MemoryReceiveChannel<Dog>>();
    expectTypeOf<MemoryReceiveChannel<Dog>>().not.toExtend<MemorySendChannel<Dog>>();
    expectTypeOf<MemorySendChannel<Dog>>().not.toExtend<Selectable<unknown>>();
    // @ts-expect-error Nobody knows which item.
    select({ send });
  });
});

describe("a receive end", () => {
  const { receive } = openMemoryChannel<Dog>(1);

  test("gives its items", () => {
    expectTypeOf(receive.receive()).toEqualTypeOf<Promise<Dog>>();
    expectTypeOf(receive.receive(scope)).toEqualTypeOf<Promise<Dog>>();
    expectTypeOf(receive.receiveNowait()).toEqualTypeOf<Dog>();
    run(async () => {
      for await (const item of receive) expectTypeOf(item).toEqualTypeOf<Dog>();
      for await (const item of receive.values({ preventCancel: true })) expectTypeOf(item).toEqualTypeOf<Dog>();
      for await (const item of receive.values(scope)) expectTypeOf(item).toEqualTypeOf<Dog>();
    });
    expectTypeOf(receive.values().next()).toEqualTypeOf<Promise<IteratorResult<Dog, undefined>>>();
    // @ts-expect-error
    receive.values({ preventClose: true });
    // @ts-expect-error
    receive.values({ preventCancel: 1 });
  });

  test("takes a scope, or options with one, for a loop", () => {
    expectTypeOf<ValuesOptions>().toExtend<Cancellable>();
    expectTypeOf<CancelScope>().toExtend<ValuesOptions>();
  });

  test("can be cloned, closed, disposed of and asked, and iterated", () => {
    expectTypeOf(receive.clone()).toEqualTypeOf<MemoryReceiveChannel<Dog>>();
    expectTypeOf(receive.close()).toEqualTypeOf<void>();
    expectTypeOf(receive.isClosed).toEqualTypeOf<boolean>();
    expectTypeOf(receive.statistics()).toEqualTypeOf<MemoryChannelStatistics>();
    expectTypeOf(receive).toExtend<Disposable & AsyncIterable<Dog> & Selectable<Dog>>();
  });

  test("of less may stand for one of more, and not the other way round", () => {
    expectTypeOf<MemoryReceiveChannel<Dog>>().toExtend<MemoryReceiveChannel<Animal>>();
    expectTypeOf<MemoryReceiveChannel<Animal>>().not.toExtend<MemoryReceiveChannel<Dog>>();
    const animals: MemoryReceiveChannel<Animal> = receive;
    // @ts-expect-error
    const dogs: MemoryReceiveChannel<Dog> = animals;
    expectTypeOf(dogs).not.toBeAny();
  });
});

describe.each([
  ["select()", select],
  ["selectFair()", selectFair],
])("%s", (_, select) => {
  const { send, receive } = openMemoryChannel<string>(1);

  test("results by name, whose value is known by that", async () => {
    const chosen = await select({ item: receive, next: receive.orEnd, sent: send.sending("x"), event, task, late: timeout(5) });
    expectTypeOf(chosen).toEqualTypeOf<
      | { readonly key: "item"; readonly value: string }
      | { readonly key: "next"; readonly value: IteratorResult<string, undefined> }
      | { readonly key: "sent"; readonly value: void }
      | { readonly key: "event"; readonly value: void }
      | { readonly key: "task"; readonly value: boolean }
      | { readonly key: "late"; readonly value: void }
    >();
    switch (chosen.key) {
      case "item":
        expectTypeOf(chosen.value).toEqualTypeOf<string>();
        break;
      case "next":
        if (chosen.value.done) expectTypeOf(chosen.value.value).toEqualTypeOf<undefined>();
        else expectTypeOf(chosen.value.value).toEqualTypeOf<string>();
        break;
      case "task":
        expectTypeOf(chosen.value).toEqualTypeOf<boolean>();
        break;
      case "sent":
      case "event":
      case "late":
        expectTypeOf(chosen.value).toEqualTypeOf<void>();
        break;
      default:
        expectTypeOf(chosen).toBeNever();
    }
    // @ts-expect-error
    if (chosen.key === "other") return;
  });

  test("of one case has no choice", async () => {
    const { key, value } = await select({ item: receive });
    expectTypeOf(key).toEqualTypeOf<"item">();
    expectTypeOf(value).toEqualTypeOf<string>();
    const { value: other } = await select({ item: receive }, scope);
    expectTypeOf(other).toEqualTypeOf<string>();
  });

  test("of cases that are known by their type only", async () => {
    const cases: Readonly<Record<string, Selectable<number>>> = {};
    expectTypeOf(await select(cases)).toEqualTypeOf<{ readonly key: string; readonly value: number }>();
    const generic = async <C extends Cases>(some: C): Promise<Chosen<C>> => select(some);
    expectTypeOf(await generic({ task })).toEqualTypeOf<{ readonly key: "task"; readonly value: boolean }>();
    const conditional = await select({ item: Math.random() > 0.5 ? receive : task });
    expectTypeOf(conditional.value).toEqualTypeOf<string | boolean>();
  });

  test("takes names of what can be chosen, and nothing else", () => {
    // @ts-expect-error
    select({ item: receive.receive() });
    // @ts-expect-error
    select({ item: () => receive.receive() });
    // @ts-expect-error
    select({ signal: new AbortController().signal });
    // @ts-expect-error
    select({ late: 500 });
    // @ts-expect-error
    select({ maybe: undefined as Event | undefined });
    // @ts-expect-error
    select(receive);
    // @ts-expect-error
    select([receive, event]);
    // @ts-expect-error
    select(null);
    // @ts-expect-error
    select();
    // @ts-expect-error
    select({ event }, 500);
  });
});

test("an item that is a promise is awaited by receive()", () => {
  const { receive } = openMemoryChannel<Promise<string>>(1);
  run(async () => {
    expectTypeOf(await receive.receive()).toEqualTypeOf<string>();
    expectTypeOf(receive.receiveNowait()).toEqualTypeOf<Promise<string>>();
    expectTypeOf((await select({ item: receive })).value).toEqualTypeOf<Promise<string>>();
  });
});

test("a scope of any kind is a scope", () => {
  const { receive } = openMemoryChannel<string>(1);
  run((nursery) => {
    receive.receive(nursery);
    nursery.startSoon((own) => receive.receive(own));
    receive.receive(new CancelScope());
    receive.receive({ signal: AbortSignal.abort() });
    receive.receive({});
  });
});
