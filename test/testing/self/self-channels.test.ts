import { expect } from "vitest";
import {
  Broadcast,
  checkpoint,
  Event,
  generate,
  type MemoryReceiveChannel,
  type MemorySendChannel,
  merge,
  type Nursery,
  openMemoryChannel,
  type Selectable,
  select,
  selectFair,
  sleep,
  timeout,
} from "../../../src/index.js";
import { holds, type Oracle, Usage } from "./self.js";

/** Sends three items, and counts those that were taken from it. */
async function produce(send: MemorySendChannel<number>, sent: number[]): Promise<void> {
  using _ = send;
  for (let item = 1; item <= 3; item++) {
    await send.send(item);
    sent.push(item);
  }
}

/** What was sent was received, or is in the buffer still, and nobody waits. */
function intact(receive: MemoryReceiveChannel<number>, sent: readonly number[], received: readonly number[]): void {
  const { currentBufferUsed, tasksWaitingReceive, tasksWaitingSend } = receive.statistics();
  expect(received.length + currentBufferUsed).toBe(sent.length);
  expect([tasksWaitingReceive, tasksWaitingSend]).toEqual([0, 0]);
}

for (const capacity of [0, 1, Number.POSITIVE_INFINITY]) {
  holds(`a memory channel of capacity ${capacity}`, (nursery) => {
    const [send, receive] = openMemoryChannel<number>(capacity);
    const sent: number[] = [];
    const received: number[] = [];
    nursery.startSoon(() => produce(send, sent), { name: "one" });
    nursery.startSoon(
      async () => {
        for await (const item of receive.values({ preventCancel: true })) received.push(item);
      },
      { name: "reader" },
    );
    nursery.startSoon(
      async () => {
        for (;;) {
          const { done, value } = await select({ item: receive.orEnd }).then((chosen) => chosen.value);
          if (done) return;
          received.push(value);
        }
      },
      { name: "taker" },
    );
    return { always: () => intact(receive, sent, received), complete: () => expect(received).toHaveLength(3) };
  });
}

function selecting(choose: typeof select): (nursery: Nursery) => Oracle {
  return (nursery) => {
    const [sendOne, one] = openMemoryChannel<number>(0);
    const [sendTwo, two] = openMemoryChannel<number>(1);
    const [sendOut, out] = openMemoryChannel<number>(2);
    const sent = { one: [] as number[], two: [] as number[] };
    const received: Record<string, number[]> = { one: [], two: [] };
    const isOver = new Event();
    let passed = 0;
    const takeAll = async () => {
      const cases: Record<string, Selectable<IteratorResult<number, undefined>>> = { one: one.orEnd, two: two.orEnd };
      while (Object.keys(cases).length > 0) {
        const { key, value } = await choose(cases);
        if (value.done) delete cases[key];
        else {
          received[key]?.push(value.value);
          const chosen = await choose({ out: sendOut.sending(value.value), full: timeout(1) });
          if (chosen.key === "out") passed++;
        }
      }
    };
    nursery.startSoon(() => produce(sendOne, sent.one), { name: "one" });
    nursery.startSoon(() => produce(sendTwo, sent.two), { name: "two" });
    nursery.startSoon(() => takeAll().finally(() => isOver.set()), { name: "chooser" });
    // Whatever the chooser leaves, so that nobody waits for ever.
    nursery.startSoon(() => isOver.wait().then(takeAll), { name: "sweeper" });
    return {
      always: () => {
        expect(out.statistics()).toMatchObject({ currentBufferUsed: passed, tasksWaitingSend: 0 });
        intact(one, sent.one, received["one"] as number[]);
        intact(two, sent.two, received["two"] as number[]);
      },
      complete: () => expect([received, passed]).toEqual([{ one: [1, 2, 3], two: [1, 2, 3] }, 2]),
    };
  };
}

holds("select", selecting(select), { points: "sites" });
holds("selectFair", selecting(selectFair), { points: "sites" });

holds("generate", (nursery) => {
  const usage = new Usage();
  const got: number[] = [];
  const makeItems = async function* () {
    usage.now++;
    try {
      for (let i = 0; i < 3; i++) {
        await sleep(1);
        yield i;
      }
    } finally {
      usage.now--;
    }
  };
  nursery.startSoon(
    async () => {
      for await (const item of generate(() => makeItems())) {
        got.push(item);
        await checkpoint();
      }
    },
    { name: "all" },
  );
  nursery.startSoon(
    async () => {
      for await (const item of generate(() => makeItems())) if (item === 1) break;
    },
    { name: "some" },
  );
  return {
    always: () => {
      expect(usage.now).toBe(0);
      expect(got).toEqual([0, 1, 2].slice(0, got.length));
    },
    complete: () => expect(got).toHaveLength(3),
  };
});

holds("merge", (nursery) => {
  const usage = new Usage();
  const got: string[] = [];
  const items = async function* (name: string) {
    usage.now++;
    try {
      for (let i = 0; i < 2; i++) {
        await sleep(i);
        yield name + i;
      }
    } finally {
      usage.now--;
    }
  };
  nursery.startSoon(
    async () => {
      const sources = [generate(() => items("a")), generate(() => items("b"))];
      for await (const item of merge(sources)) got.push(item);
    },
    { name: "reader" },
  );
  nursery.startSoon(() => checkpoint(), { name: "other" });
  return {
    always: () => {
      expect(usage.now).toBe(0);
      for (const name of ["a", "b"]) {
        const own = got.filter((item) => item.startsWith(name));
        expect(own).toEqual([`${name}0`, `${name}1`].slice(0, own.length));
      }
    },
    complete: () => expect(got).toHaveLength(4),
  };
});

holds("Broadcast", (nursery) => {
  const news = new Broadcast<number>({ capacity: 1, onSlow: "block" });
  const sent: number[] = [];
  const got: Record<string, number[]> = {};
  for (const name of ["quick", "slow"]) {
    const list: number[] = [];
    got[name] = list;
    const subscription = news.subscribe();
    nursery.startSoon(
      async () => {
        try {
          for await (const item of subscription) {
            list.push(item);
            if (name === "slow") await sleep(2);
          }
        } finally {
          subscription.close();
        }
      },
      { name },
    );
  }
  nursery.startSoon(
    async () => {
      try {
        for (let item = 1; item <= 3; item++) {
          await news.send(item);
          sent.push(item);
        }
      } finally {
        news.close();
      }
    },
    { name: "sender" },
  );
  return {
    always: () => {
      expect(news.statistics()).toMatchObject({ subscribers: 0, tasksWaitingSend: 0, currentBufferUsed: 0 });
      for (const list of Object.values(got)) expect(list).toEqual(sent.slice(0, list.length));
    },
    complete: () => expect(got).toEqual({ quick: sent, slow: sent }),
  };
});
