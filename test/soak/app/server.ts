import {
  Cancelled,
  type CancelScope,
  every,
  forEach,
  type MemoryReceiveChannel,
  type Nursery,
  openNursery,
  scopeFromSignal,
} from "../../../src/index.js";
import { answer } from "./answer.js";
import type { Application } from "./application.js";
import { type Connection, Request } from "./connection.js";

/** How many requests of one connection are worked on at a time. */
const AT_A_TIME = 3;

/** Why a client hangs up. */
export const HUNG_UP = new Error("the client has hung up");

/** Accepts connections until there are no more, each in a task of its own. Those tasks end with it, and so does its heartbeat. */
export async function serve(app: Application, accept: MemoryReceiveChannel<Connection>, nursery: Nursery): Promise<void> {
  nursery.startSoon((task) => heartbeat(app, task), { name: "heartbeat", background: true });
  for await (const connection of accept.values({ signal: nursery.signal })) {
    nursery.startSoon((task) => converse(app, connection, task), { name: connection.name });
  }
}

/** Sends the news, which is no more than a number that grows. */
async function heartbeat(app: Application, task: CancelScope): Promise<void> {
  await every(2, (scope, n) => app.pools.news.send(n, scope), undefined, task);
}

/** One connection, until the client has no more requests, or hangs up. */
async function converse(app: Application, connection: Connection, task: CancelScope): Promise<void> {
  const line = scopeFromSignal(connection.line.signal, { name: "line" });
  try {
    await line.run(() => (connection.name.endsWith("0") ? inTurn(app, connection, line) : together(app, connection, line)), task);
  } finally {
    app.ledger.check(!line.cancelCalled || connection.line.signal.aborted, () => "a line was cancelled, and nobody had hung up");
    const { reason } = line.signal;
    if (reason instanceof Cancelled && !task.signal.aborted)
      app.ledger.check(reason.kind === "signal" && reason.cause === HUNG_UP, () => `a line was cancelled because of ${reason}`);
    connection.requests.close();
    connection.ended.set();
  }
}

/** So many requests at a time, by a combinator. */
async function inTurn(app: Application, { requests }: Connection, line: CancelScope): Promise<void> {
  await forEach(
    requests,
    async (request, scope) => {
      // Looked at, because `undefined` has been an item before.
      app.ledger.check(request instanceof Request, () => `an item of the channel of requests is ${request}`);
      app.onRequest(request);
      await answer(app, request, scope);
    },
    { concurrency: AT_A_TIME },
    line,
  );
}

/** All requests at a time, by hand. */
async function together(app: Application, { requests }: Connection, line: CancelScope): Promise<void> {
  await openNursery(
    async (nursery) => {
      for await (const request of requests.values({ signal: nursery.signal })) {
        app.onRequest(request);
        nursery.startSoon((task) => answer(app, request, task));
      }
    },
    { signal: line.signal },
  );
}
