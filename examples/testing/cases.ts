import { openNursery, sleep } from "creche";
import { assertLinearizable, recordHistory, type SequentialModel, type Sim } from "creche/testing";
import { Account, type Transfer, transferAsGiven, transferInOrder } from "./bank.js";
import type { Case, Program } from "./case.js";
import { type Connection, LeakyPool, type Pool, SafePool } from "./connection-pool.js";
import { ForgetfulGate, type Gate, GoodGate } from "./gate.js";
import { type Fetch, patient, stubborn } from "./persistent-fetch.js";
import { type Cache, FreshCache, StaleCache, type Store } from "./read-through-cache.js";

/** Two queries share one connection. */
function queries(make: (connections: readonly Connection[]) => Pool): Program {
  let pool: Pool | undefined;
  const connection: Connection = { id: 1, query: (sql) => sleep(5).then(() => `rows of ${sql}`) };
  return {
    async body() {
      const own = make([connection]);
      pool = own;
      await openNursery((nursery) => {
        for (const name of ["report", "page"]) nursery.startSoon(() => own.withConnection(({ query }) => query(name)), { name });
      });
    },
    check() {
      if (pool?.free !== 1) throw new Error("a connection is lost");
    },
  };
}

const cell: SequentialModel<number, "get" | "set"> = {
  init: () => 1,
  step(value, op, args, result) {
    if (op === "set") return { state: args[1] as number };
    return result === value ? { state: value } : undefined;
  },
};

/** A reader and a writer of one key; and what the next reader sees. */
function readingAndWriting(make: (store: Store) => Cache): Program {
  return {
    async body(sim: Sim) {
      let row = 1;
      const store: Store = {
        async read() {
          const value = row;
          await sleep(5);
          return value;
        },
        async write(_key, value) {
          await sleep(5);
          row = value;
        },
      };
      const { object: cache, history } = recordHistory(sim, make(store));
      await openNursery((nursery) => {
        nursery.startSoon(() => cache.get("a"), { name: "reader" });
        nursery.startSoon(() => cache.set("a", 2), { name: "writer" });
      });
      await cache.get("a");
      assertLinearizable(history, cell);
    },
  };
}

/** Two transfers in opposite directions. */
function transfers(transfer: Transfer): Program {
  return {
    async body(sim: Sim) {
      const [ann, ben] = [new Account(1, 100), new Account(2, 100)];
      await openNursery((nursery) => {
        nursery.startSoon(() => transfer(ann, ben, 30), { name: "Ann pays Ben" });
        nursery.startSoon(() => sleep(sim.choose(2)).then(() => transfer(ben, ann, 20)), { name: "Ben pays Ann" });
      });
      if (ann.balance !== 90 || ben.balance !== 110) throw new Error(`money is lost: ${ann.balance} and ${ben.balance}`);
    },
  };
}

/** A server that answers the third time. */
function asking(fetch: Fetch): Program {
  return {
    async body() {
      let asked = 0;
      await fetch(async () => {
        await sleep(1);
        if (++asked < 3) throw new Error("busy");
        return "answer";
      });
    },
  };
}

/** One who passes, and one who opens. */
function passing(make: () => Gate): Program {
  return {
    async body() {
      const gate = make();
      await openNursery((nursery) => {
        nursery.startSoon(() => gate.pass(), { name: "guest" });
        nursery.startSoon(() => sleep(1).then(() => gate.open()), { name: "porter" });
      });
    },
  };
}

export const cases: readonly Case[] = [
  {
    name: "connection pool",
    bug: "a borrower that is cancelled takes its connection with it",
    tool: "cancellations",
    buggy: queries((connections) => new LeakyPool(connections)),
    fixed: queries((connections) => new SafePool(connections)),
  },
  {
    name: "read-through cache",
    bug: "a value that was read before a write is kept after it",
    tool: "orders",
    buggy: readingAndWriting((store) => new StaleCache(store)),
    fixed: readingAndWriting((store) => new FreshCache(store)),
  },
  {
    name: "transfers",
    bug: "two locks are taken in two orders",
    tool: "orders",
    buggy: transfers(transferAsGiven),
    fixed: transfers(transferInOrder),
  },
  {
    name: "persistent fetch",
    bug: "it takes its cancellation for one more failure",
    tool: "cancellations",
    buggy: asking(stubborn),
    fixed: asking(patient),
  },
  {
    name: "gate",
    bug: "it opens between the look at it and the wait for it",
    tool: "orders",
    buggy: passing(() => new ForgetfulGate()),
    fixed: passing(() => new GoodGate()),
  },
];
