import { Client, type ClientBase, Pool } from "pg";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { POSTGRES_USER } from "../servers/databases.js";
import { freePort } from "../servers/server-process.js";
import { HOST } from "../servers/site.js";
import { crowdedPool } from "./crowded-pool.js";
import { byCode } from "./genuine.js";

const SQL: Readonly<Record<Way, string>> = {
  stall: "select pg_sleep(1000)",
  complete: "select 1",
  fail: "select 1/0",
};

const genuine = byCode("22012");

const server = ({ ports }: Kit) => ({ host: HOST, port: ports.postgres, user: POSTGRES_USER, database: "postgres" });

export default family(
  "pg",
  probe({
    name: "client.query(sql)",
    needs: ["postgres"],
    setup: async (kit: Kit) => {
      const [client, other] = [await connected(kit), await connected(kit)];
      return { client, other };
    },
    call: (way, task, { client, other }, wrap) => {
      const [sql, pid] = [SQL[way], pidOf(client)];
      return wrap(() => client.query(sql), { onCancel: () => other.query("select pg_cancel_backend($1)", [pid]) }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "On a second connection: the query ends at the server, and the connection can be used again. `pid` is `client.processID`.",
  }),
  probe({
    name: "client.query(sql), with a client of a pool",
    needs: ["postgres"],
    setup: async (kit: Kit) => {
      const pool = new Pool({ ...server(kit), max: 2 });
      kit.defer(() => pool.end());
      // So that what it keeps open is open already.
      for (const client of await Promise.all([pool.connect(), pool.connect()])) client.release();
      return pool;
    },
    call: async (way, task, pool, wrap) => {
      const client = await pool.connect();
      try {
        const [sql, pid] = [SQL[way], pidOf(client)];
        return await wrap(() => client.query(sql), { onCancel: () => pool.query("select pg_cancel_backend($1)", [pid]) }, task);
      } finally {
        client.release();
      }
    },
    takesNoSignal: true,
    genuine,
    note: "The query that cancels takes another client of the pool.",
  }),
  probe({
    name: "pool.connect(), while it waits for a client",
    needs: ["postgres"],
    setup: async (kit: Kit) => {
      const [pool, nowhere] = [new Pool({ ...server(kit), max: 1 }), new Pool({ host: HOST, port: await freePort() })];
      return crowdedPool(kit, pool, nowhere, (crowded) => crowded.connect());
    },
    call: async (way, task, { pool: busy, nowhere, free }, wrap) => {
      if (way === "complete") free();
      const pool = way === "fail" ? nowhere : busy;
      const client = await wrap(() => pool.connect(), { settle: "now", onLate: (late) => late.release() }, task);
      client.release();
    },
    reached: ({ pool }) => pool.waitingCount > 0,
    takesNoSignal: true,
    genuine: byCode("ECONNREFUSED"),
    note: "The pool does not know that nobody waits any more: the client that comes late goes back.",
  }),
);

/** Not in its types, but in its documentation. */
function pidOf(client: ClientBase): number {
  return (client as unknown as { readonly processID: number }).processID;
}

async function connected(kit: Kit): Promise<Client> {
  const client = new Client(server(kit));
  await client.connect();
  kit.defer(() => client.end());
  return client;
}
