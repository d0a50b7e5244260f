import { type Connection, createConnection, createPool } from "mysql2/promise";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { through } from "../servers/databases.js";
import { freePort } from "../servers/server-process.js";
import { HOST } from "../servers/site.js";
import { crowdedPool } from "./crowded-pool.js";
import { byCode } from "./genuine.js";

const SQL: Readonly<Record<Way, string>> = {
  stall: "select sleep(1000)",
  complete: "select 1",
  fail: "select * from nowhere.nothing",
};

const genuine = byCode("ER_NO_SUCH_TABLE");

export default family(
  "mysql2",
  probe({
    name: "connection.query(sql)",
    needs: ["mysql"],
    setup: async (kit: Kit) => ({ connection: await connected(kit), other: await connected(kit), where: through(kit.ports.mysql) }),
    call: (way, task, { connection, other, where }, wrap) => {
      const sql = `${SQL[way]} ${where}`;
      return wrap(() => connection.query(sql), { onCancel: () => other.query(`kill query ${connection.threadId}`) }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "On a second connection: the query ends at the server, and the first connection can be used again.",
  }),
  probe({
    name: "connection.query(sql), and the connection with it",
    needs: ["mysql"],
    setup: async (kit: Kit) => ({ connection: await connected(kit), where: through(kit.ports.mysql) }),
    call: (way, task, { connection, where }, wrap) => {
      const sql = `${SQL[way]} ${where}`;
      return wrap(() => connection.query(sql), { onCancel: () => connection.destroy(), settle: "now" }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "After `destroy()` its promise never settles, so it is given up, and counted by `scope.abandoned`.",
    leaves: { what: "the query, at the server, until that notices", reports: /operation.* at the server/ },
  }),
  probe({
    name: "pool.getConnection(), while it waits for a connection",
    needs: ["mysql"],
    setup: async (kit: Kit) => {
      const options = { host: HOST, user: "root", connectionLimit: 1 };
      const [pool, nowhere] = [createPool({ ...options, port: kit.ports.mysql }), createPool({ ...options, port: await freePort() })];
      return crowdedPool(kit, pool, nowhere, (crowded) => crowded.getConnection());
    },
    call: async (way, task, { pool: busy, nowhere, free }, wrap) => {
      if (way === "complete") free();
      const pool = way === "fail" ? nowhere : busy;
      const connection = await wrap(() => pool.getConnection(), { settle: "now", onLate: (late) => late.release() }, task);
      connection.release();
    },
    reached: () => true,
    takesNoSignal: true,
    genuine: byCode("ECONNREFUSED"),
    note: "The pool does not know that nobody waits any more: the connection that comes late goes back.",
  }),
);

async function connected({ ports, defer }: Kit): Promise<Connection> {
  const connection = await createConnection({ host: HOST, port: ports.mysql, user: "root" });
  defer(() => connection.end().catch(() => {}));
  return connection;
}
