import {
  BrokenResourceError,
  type CancelScope,
  ClosedResourceError,
  type MemorySendChannel,
  now,
  select,
  sleep,
} from "../../../src/index.js";
import type { Random } from "../random.js";
import type { Application } from "./application.js";
import { Connection, Request } from "./connection.js";
import { handlers } from "./handlers/handlers.js";
import { HUNG_UP } from "./server.js";

const HANDLERS = Object.keys(handlers) as (keyof typeof handlers)[];

/** Connects, follows a random script, and connects again, until its time is over. */
export async function client(
  app: Application,
  { name, connect, random, until }: { name: string; connect: MemorySendChannel<Connection>; random: Random; until: number },
  scope: CancelScope,
): Promise<void> {
  for (let number = 1; now() < until; number++) {
    const connection = new Connection(`${name}.${number}`);
    await connect.send(connection, scope);
    await talk(app, connection, random.fork(), scope);
  }
}

async function talk(app: Application, connection: Connection, random: Random, scope: CancelScope): Promise<void> {
  const requests: Request[] = [];
  try {
    for (let number = random.between(1, 8); number > 0; number--) {
      const script = { what: random.pick(HANDLERS), timeout: random.between(1, 60), random: random.fork() };
      const request = new Request(`${connection.name}/${number}`, script);
      await connection.send.send(request, scope);
      requests.push(request);
      if (random.chance(0.3)) await sleep(random.below(4), scope);
    }
    if (random.chance(0.2)) connection.line.abort(HUNG_UP);
  } catch (error) {
    if (!(error instanceof BrokenResourceError || error instanceof ClosedResourceError)) throw error;
  } finally {
    connection.send.close();
  }
  const isPatient = random.chance(0.8);
  for (const request of requests) {
    await select({ answered: request.answered, ended: connection.ended }, scope);
    if (!isPatient && random.chance(0.3)) connection.line.abort(HUNG_UP);
  }
  await connection.ended.wait(scope);
  const isCutOff = connection.line.signal.aborted;
  for (const { name, answer } of requests)
    app.ledger.check(isCutOff || answer !== undefined, () => `${name} was not answered, though nobody hung up`);
}
