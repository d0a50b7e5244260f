import { exec, execFile, spawn } from "node:child_process";
import * as dgram from "node:dgram";
import { Resolver } from "node:dns/promises";
import { EventEmitter, on, once } from "node:events";
import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as net from "node:net";
import { createInterface } from "node:readline";
import * as readlinePromises from "node:readline/promises";
import { addAbortSignal, PassThrough, Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as delay, setImmediate as immediately, scheduler } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CancelScope, run, CancelScope as Scope } from "../../src/index.js";
import { thrownBy } from "./support.js";

const HOUR = 3_600_000;
const node = process.execPath;
const idle = ["-e", `setTimeout(() => {}, ${HOUR})`];

/** Sends nothing on /headers, and the headers and a first chunk on /body. */
const server = http.createServer((request, response) => {
  if (request.url === "/body") response.write("first ");
});
let url = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A line of the table: something real that waits under the signal of a scope until that is aborted. */
type Row = readonly [name: string, operation: (scope: CancelScope) => Promise<unknown>];

interface Ending {
  readonly caught: boolean;
  readonly value: unknown;
  readonly error: unknown;
  readonly assumed: number | undefined;
}

/** Cancels the scope in the midst of the operation. */
function cancelledMeanwhile(operation: Row[1]): Promise<Ending> {
  return run(async (root) => {
    const scope = new Scope();
    let value: unknown;
    let error: unknown;
    const timer = setTimeout(() => scope.cancel("for the test"), 50);
    try {
      value = await scope.run(operation);
    } catch (thrown) {
      error = thrown;
    }
    clearTimeout(timer);
    return { caught: scope.cancelledCaught, value, error, assumed: root._tree?.assumedCancellations };
  });
}

function eventOf(emitter: EventEmitter, name: string): Promise<never> {
  return new Promise((_, reject) => {
    emitter.on(name, reject);
  });
}

async function drain(iterable: AsyncIterable<unknown>): Promise<string> {
  for await (const _ of iterable);
  return "came to its end";
}

const linked: Row[] = [
  ["timers/promises setTimeout", (scope) => delay(HOUR, undefined, scope)],
  ["timers/promises scheduler.wait", (scope) => scheduler.wait(HOUR, scope)],
  [
    "timers/promises setImmediate, begun after the abort",
    async (scope) => {
      scope.cancel();
      await immediately(undefined, scope);
    },
  ],
  ["fetch, before the headers", (scope) => fetch(`${url}/headers`, scope)],
  ["fetch, in the body", async (scope) => (await fetch(`${url}/body`, scope)).text()],
  [
    "fetch, between the chunks of the body",
    async (scope) => drain((await fetch(`${url}/body`, scope)).body as unknown as AsyncIterable<unknown>),
  ],
  ["fetch of a Request", (scope) => fetch(new Request(`${url}/headers`, { signal: scope.signal }))],
  ["events.once of an EventEmitter", (scope) => once(new EventEmitter(), "never", scope)],
  ["events.once of an EventTarget", (scope) => once(new EventTarget(), "never", scope)],
  ["events.on", (scope) => drain(on(new EventEmitter(), "never", scope))],
  ["stream.pipeline", (scope) => pipeline(new Readable({ read() {} }), new PassThrough(), scope)],
  ["stream.finished", (scope) => finished(new PassThrough(), scope)],
  ["addAbortSignal", (scope) => drain(addAbortSignal(scope.signal, new PassThrough()))],
  ["a Readable made with the signal", (scope) => drain(new Readable({ signal: scope.signal, read() {} }))],
  [
    "readline/promises question",
    async (scope) => {
      const questions = readlinePromises.createInterface({ input: new PassThrough() });
      try {
        return await questions.question("?", scope);
      } finally {
        questions.close();
      }
    },
  ],
  ["child_process.exec", (scope) => promisify(exec)(`exec "${node}" -e "setTimeout(() => {}, ${HOUR})"`, { signal: scope.signal })],
  ["child_process.execFile", (scope) => promisify(execFile)(node, idle, { signal: scope.signal })],
  ["child_process.spawn, its error event", (scope) => eventOf(spawn(node, idle, { signal: scope.signal }), "error")],
  ["http.request, its error event", (scope) => eventOf(http.request(`${url}/headers`, { signal: scope.signal }).end(), "error")],
  [
    "net.connect, its error event",
    (scope) => eventOf(net.connect({ port: Number(new URL(url).port), host: "127.0.0.1", signal: scope.signal }), "error"),
  ],
  [
    "fs/promises readFile, begun after the abort",
    async (scope) => {
      scope.cancel();
      await readFile(fileURLToPath(import.meta.url), scope);
    },
  ],
  ["a web stream that is piped", (scope) => new ReadableStream().pipeTo(new WritableStream(), scope)],
  [
    "signal.throwIfAborted",
    async (scope) => {
      scope.cancel();
      scope.signal.throwIfAborted();
    },
  ],
  ["a signal derived from the scope's by AbortSignal.any", (scope) => delay(HOUR, undefined, { signal: AbortSignal.any([scope.signal]) })],
];

describe("what Node rejects with when the signal of its scope is aborted is linked to the cancellation", () => {
  for (const [name, operation] of linked) {
    test(name, async () => {
      expect(await cancelledMeanwhile(operation)).toEqual({ caught: true, value: undefined, error: undefined, assumed: 0 });
    });
  }
});

describe("false negatives: what Node tells of an abort in a way that nothing can recognise passes as a failure", () => {
  test("the body of an http.request", async () => {
    const { caught, error } = await cancelledMeanwhile(async (scope) => {
      const request = http.request(`${url}/body`, { signal: scope.signal }).end();
      request.on("error", () => {});
      const [response] = await once(request, "response");
      await drain(response);
    });
    expect(caught).toBe(false);
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  test("dns.Resolver.cancel()", async () => {
    const silent = dgram.createSocket("udp4");
    silent.bind(0, "127.0.0.1");
    await once(silent, "listening");
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${silent.address().port}`]);
    const { caught, error } = await cancelledMeanwhile((scope) => {
      scope.signal.addEventListener("abort", () => resolver.cancel());
      return resolver.resolve4("example.test");
    });
    silent.close();
    expect(caught).toBe(false);
    expect(error).toMatchObject({ code: "ECANCELLED" });
  });
});

describe("what resolves on an abort leaves no error to judge: the body's value is returned, and the scope says that it is cancelled", () => {
  test("readline by line", async () => {
    let isToldInside: unknown;
    const ending = await cancelledMeanwhile(async (scope) => {
      const result = await drain(createInterface({ input: new PassThrough(), signal: scope.signal }));
      isToldInside = thrownBy(() => scope.throwIfCancelled());
      return result;
    });
    expect(ending).toEqual({ caught: false, value: "came to its end", error: undefined, assumed: 0 });
    expect(isToldInside).toHaveProperty("kind", "cancel");
  });

  test("net.Server.listen", async () => {
    const ending = await cancelledMeanwhile(async (scope) => {
      const listening = net.createServer().listen({ port: 0, host: "127.0.0.1", signal: scope.signal });
      await once(listening, "close");
      return "closed";
    });
    expect(ending).toEqual({ caught: false, value: "closed", error: undefined, assumed: 0 });
  });
});

describe("the reason, on its way through Node's fetch,", () => {
  test("comes out as the very object, although fetch overwrites its stack, and its site stays", async () => {
    await run(async () => {
      const scope = new Scope();
      let caught: unknown;
      setTimeout(() => scope.cancel("enough"), 50);
      await scope.run(async () => {
        caught = await fetch(`${url}/headers`, scope).catch((error) => error);
      });
      expect(caught).toBe(scope.signal.reason);
      expect(scope.signal.reason.site).toContain("classify-node.test.ts");
    });
  });
});
