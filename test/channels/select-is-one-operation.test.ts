import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CancelScope,
  Event,
  type MemoryChannelEnds,
  openMemoryChannel,
  type Selectable,
  select,
  selectFair,
  sleep,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { type Call, drain, watch } from "./support.js";

/** Something that others do, before the select and while it waits. */
interface Act {
  readonly does: "send" | "sendNowait" | "receive" | "receiveNowait" | "closeSend" | "closeReceive" | "set";
  readonly n: 0 | 1;
}

/** One case of the select, or the operation that it stands for. */
interface One {
  readonly of: "send" | "receive" | "orEnd" | "event";
  readonly n: 0 | 1;
}

interface World {
  readonly capacities: readonly [number, number];
  readonly before: readonly Act[];
  readonly after: readonly Act[];
}

const n = fc.constantFrom<0 | 1>(0, 1);
const act: fc.Arbitrary<Act> = fc.record({
  does: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom<Act["does"]>("send", "sendNowait", "receive", "receiveNowait") },
    { weight: 1, arbitrary: fc.constantFrom<Act["does"]>("closeSend", "closeReceive", "set") },
  ),
  n,
});
const acts = fc.array(act, { maxLength: 6 });
const capacity = fc.constantFrom(0, 0, 1, 2);
const worlds: fc.Arbitrary<World> = fc.record({ capacities: fc.tuple(capacity, capacity), before: acts, after: acts });
const cases: fc.Arbitrary<One[]> = fc.array(fc.record({ of: fc.constantFrom<One["of"]>("send", "receive", "orEnd", "event"), n }), {
  minLength: 1,
  maxLength: 4,
});

/** What is done in the middle: one operation of its own, or a choice of several. */
type Middle = (channels: readonly MemoryChannelEnds<number>[], events: readonly Event[]) => Promise<unknown>;

interface Seen {
  /** What came of the operation in the middle. */
  readonly own: Call<unknown>["outcome"];
  /** Everything else that can be seen. */
  readonly rest: unknown;
}

/** Runs a world to its end, and tells what could be seen there. */
async function seen({ capacities, before, after }: World, middle: Middle): Promise<Seen> {
  let seen: Seen | undefined;
  await simulate(async () => {
    const channels = capacities.map((capacity) => openMemoryChannel<number>(capacity));
    const events = [new Event(), new Event()];
    const calls: Call<unknown>[] = [];
    const perform = async (acts: readonly Act[]) => {
      for (const { does, n } of acts) {
        calls.push(watch(doIt(does, channels[n] as MemoryChannelEnds<number>, events[n] as Event, calls.length)));
        await sleep(1);
      }
    };
    await perform(before);
    const scope = new CancelScope();
    let own: Call<unknown> | undefined;
    const over = scope.run(() => {
      const promise = middle(channels, events);
      own = watch(promise);
      return promise.catch(() => {});
    });
    await sleep(1);
    await perform(after);
    scope.cancel();
    await over;
    const { outcome } = own as Call<unknown>;
    const isCancelled = typeof outcome === "object" && "error" in outcome && outcome.error === scope.signal.reason;
    const left = channels.map(({ receive, send }) => [send.statistics(), receive.isClosed ? [] : drain(receive)]);
    const rest = [calls.map(({ outcome }) => told(outcome)), left, events.map((event) => [event.isSet, event.statistics()])];
    seen = { own: isCancelled ? "pending" : (told(outcome) as Seen["own"]), rest };
  });
  return seen as Seen;
}

async function doIt(does: Act["does"], { send, receive }: MemoryChannelEnds<number>, event: Event, value: number): Promise<unknown> {
  switch (does) {
    case "send":
      return send.send(value);
    case "sendNowait":
      return send.sendNowait(value);
    case "receive":
      return receive.receive();
    case "receiveNowait":
      return receive.receiveNowait();
    case "closeSend":
      return send.close();
    case "closeReceive":
      return receive.close();
    case "set":
      return event.set();
  }
}

/** Errors by their names, so that they can be compared. */
function told(outcome: Call<unknown>["outcome"]): unknown {
  return typeof outcome === "object" && "error" in outcome ? { error: (outcome.error as Error).name } : outcome;
}

/** What a send among the cases sends. */
const ownValue = (i: number) => 1_000 + i;

function choosing(ones: readonly One[], choose: typeof select): Middle {
  return (channels, events) => {
    const cases = ones.map(({ of, n }, i): [string, Selectable<unknown>] => {
      const { send, receive } = channels[n] as MemoryChannelEnds<number>;
      const by = {
        send: () => send.sending(ownValue(i)),
        receive: () => receive,
        orEnd: () => receive.orEnd,
        event: () => events[n] as Event,
      };
      return [`case ${i}`, by[of]()];
    });
    return choose(Object.fromEntries(cases));
  };
}

/** The i-th case as an operation of its own. Iterating receives as `orEnd` does. */
function doing({ of, n }: One, i: number): Middle {
  return (channels, events) => {
    const { send, receive } = channels[n] as MemoryChannelEnds<number>;
    switch (of) {
      case "send":
        return send.send(ownValue(i));
      case "receive":
        return receive.receive();
      case "orEnd":
        return receive.values({ preventCancel: true }).next();
      case "event":
        return (events[n] as Event).wait();
    }
  };
}

const CHOICES = { select, selectFair };

test.each(
  Object.entries(CHOICES),
)("R6: %s() is as if only the chosen operation had been begun; and none, if it is cancelled", async (_, choose) => {
  const kinds = { chosen: 0, failed: 0, cancelled: 0 };
  await fc.assert(
    fc.asyncProperty(worlds, cases, async (world, ones) => {
      const { own, rest } = await seen(world, choosing(ones, choose));
      if (own === "pending") {
        kinds.cancelled++;
        const without = await seen(world, () => Promise.resolve());
        expect(rest).toEqual(without.rest);
      } else if ("value" in own) {
        kinds.chosen++;
        const { key, value } = own.value as { readonly key: string; readonly value: unknown };
        const i = Number(key.slice("case ".length));
        expect(await seen(world, doing(ones[i] as One, i))).toEqual({ own: { value }, rest });
      } else {
        kinds.failed++;
        // An error does not tell whose it is: one of the operations has to be as good.
        const others = await Promise.all(ones.map((one, i) => seen(world, doing(one, i))));
        expect(others).toContainEqual({ own, rest });
      }
    }),
    { numRuns: 400 },
  );
  for (const [kind, count] of Object.entries(kinds)) expect([kind, count > 10]).toEqual([kind, true]);
});
