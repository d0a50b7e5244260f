import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { get, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CancelScope, moveOnAfter, openMemoryChannel, openNursery, run, sleepForever } from "../../src/index.js";
import { fromReadable, fromWritable, toReadable, toWritable } from "../../src/node/index.js";
import { serve, signalled } from "../bridges/stream-server.js";
import { rejectionOf } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { simulate } from "../support/simulate.js";
import { closedOf, listenersOf } from "./stream-support.js";

const text = Array.from({ length: 50_000 }, (_, i) => `line ${i}: ${"x".repeat(i % 50)}\n`).join("");
let folder = "";
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "creche-streams-"));
  await writeFile(file("text"), text);
});

afterAll(() => rm(folder, { recursive: true }));

describe("files", () => {
  const inSimulatedTime: typeof run = (body) => simulate(body, { settleMs: 10_000 });
  for (const [name, how] of [
    ["", run],
    [", in simulated time", inSimulatedTime],
  ] as const) {
    test(`through gzip, a channel and back, complete${name}`, async () => {
      await how(async (nursery) => {
        const [send, receive] = openMemoryChannel<Buffer>(2);
        nursery.startSoon(() => pipeline(createReadStream(file("text")), createGzip(), toWritable(send, nursery)));
        await pipeline(toReadable(receive), createGunzip(), createWriteStream(file("copy")));
      });
      expect(await readFile(file("copy"), "utf8")).toBe(text);
    });

    test(`chunk by chunk, complete${name}`, async () => {
      await how(async () => {
        const out = fromWritable(createWriteStream(file("copy.gz")));
        let rest = Buffer.alloc(0);
        for await (const chunk of fromReadable(createReadStream(file("text")))) {
          rest = Buffer.concat([rest, chunk]);
          const end = rest.lastIndexOf(10) + 1;
          await out.send(gzipSync(rest.subarray(0, end)));
          rest = rest.subarray(end);
        }
        await out.close();
      });
      expect(gunzipSync(await readFile(file("copy.gz"))).toString()).toBe(text);
    });
  }

  test("cancelled half way: all of them are closed when the scope is left", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      run(async () => {
        const [input, output] = [createReadStream(file("text"), { highWaterMark: 1024 }), createWriteStream(file("part"))];
        const scope = new CancelScope();
        await scope.run(async () => {
          const out = fromWritable(output);
          let copied = 0;
          for await (const chunk of fromReadable(input)) {
            await out.send(chunk);
            copied += chunk.length;
            if (copied > 100_000) scope.cancel();
          }
        });
        expect([scope.cancelledCaught, input.closed, output.closed, output.writableFinished]).toEqual([true, true, true, false]);
        expect((await stat(file("part"))).size).toBeLessThan(text.length);
        expect([listenersOf(input)["error"], listenersOf(output)["error"]]).toEqual([undefined, undefined]);
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });

  test("a pipeline that is cancelled half way takes its bridges with it, and is no failure", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      run(async () => {
        const input = createReadStream(file("text"), { highWaterMark: 1024 });
        const output = createWriteStream(file("part"));
        const scope = new CancelScope();
        await scope.run(() =>
          openNursery(async (nursery) => {
            const [send, receive] = openMemoryChannel<Buffer>(2);
            const [more, last] = openMemoryChannel<Buffer>(0);
            nursery.startSoon((task) => pipeline(input, toWritable(send, nursery), { signal: task.signal }));
            nursery.startSoon((task) => pipeline(toReadable(last, nursery), createGzip(), output, { signal: task.signal }));
            let copied = 0;
            for await (const chunk of receive) {
              await more.send(chunk);
              copied += chunk.length;
              if (copied > 100_000) scope.cancel();
            }
          }),
        );
        expect(scope.cancelledCaught).toBe(true);
        await closedOf(input);
        await closedOf(output);
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });

  test("one that is missing: its error comes where one receives, and is not uncaught before", async () => {
    await run(async () => {
      const stream = createReadStream(file("missing"));
      const channel = fromReadable(stream);
      await closedOf(stream);
      expect(await rejectionOf(channel.receive())).toMatchObject({ code: "ENOENT" });
    });
  });

  test("one that cannot be written: its error comes out of send, or of close", async () => {
    await run(async () => {
      const out = fromWritable(createWriteStream(file("missing/file")));
      const error = await rejectionOf(out.send("bytes").then(() => out.close()));
      expect(error).toMatchObject({ code: "ENOENT" });
      expect(await rejectionOf(out.close())).toBe(error);
    });
  });

  test("gzipped, and cut off: the error of the last stream comes out at the end", async () => {
    await writeFile(file("cut.gz"), gzipSync(text).subarray(0, 10_000));
    await run(async () => {
      const channel = fromReadable(createReadStream(file("cut.gz")).pipe(createGunzip()));
      const receiving = (async () => {
        for await (const _ of channel);
      })();
      expect(await rejectionOf(receiving)).toMatchObject({ code: "Z_BUF_ERROR" });
    });
  });
});

async function responseOf(url: string): Promise<IncomingMessage> {
  const [response] = (await once(get(url), "response")) as [IncomingMessage];
  return response;
}

describe("http", () => {
  test("a server that answers what it is sent, in a task for each request", async () => {
    await run(async (nursery) => {
      const url = await serve((request, response) => {
        nursery.startSoon(async () => {
          const out = fromWritable(response);
          for await (const chunk of fromReadable(request)) await out.send(chunk.toString().toUpperCase());
          await out.close();
        });
      }, nursery);
      const echo = async (body: string) => (await fetch(url, { method: "POST", body })).text();
      expect(await Promise.all([echo("one"), echo(text), echo("")])).toEqual(["ONE", text.toUpperCase(), ""]);
    });
  });

  test("a client that goes away is an error for who sends to it: not more than that", async () => {
    await run(async (nursery) => {
      const seen = signalled<unknown>();
      const url = await serve((_, response) => {
        nursery.startSoon(async () => {
          const out = fromWritable(response);
          const chunk = Buffer.alloc(64 * 1024);
          const sending = (async () => {
            for (;;) await out.send(chunk);
          })();
          seen.resolve(await rejectionOf(sending));
        });
      }, nursery);
      const response = await responseOf(url);
      await once(response, "readable");
      response.destroy();
      expect(await seen.promise).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    });
  });

  test("a response that is cut off is an error for who receives it", async () => {
    await run(async (nursery) => {
      const url = await serve((_, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("too short", () => response.destroy());
      }, nursery);
      let body = "";
      const receiving = (async () => {
        for await (const chunk of fromReadable(await responseOf(url))) body += chunk;
      })();
      expect(await rejectionOf(receiving)).toMatchObject({ code: "ECONNRESET" });
      expect(body).toBe("too short");
    });
  });

  test("cancelled half way through a response: the connection is closed, and nothing is uncaught", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      run(async (nursery) => {
        const closed = signalled();
        const url = await serve((_, response) => {
          response.once("close", closed.resolve);
          const write = () => {
            while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
            response.once("drain", write);
          };
          write();
        }, nursery);
        const response = await responseOf(url);
        await openNursery(async (inner) => {
          let taken = 0;
          for await (const chunk of fromReadable(response)) {
            taken += chunk.length;
            if (taken > 1_000_000) inner.cancel();
          }
        });
        expect(response.destroyed).toBe(true);
        await closed.promise;
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });

  test("a request that is given up half way is destroyed, and nothing is uncaught", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      run(async (nursery) => {
        const aborted = signalled();
        const url = await serve((request) => {
          request.on("error", () => aborted.resolve());
          request.resume();
        }, nursery);
        const request = httpRequest(url, { method: "POST" });
        await moveOnAfter(50, async () => {
          const out = fromWritable(request);
          await out.send("hello");
          await sleepForever();
        });
        expect(request.destroyed).toBe(true);
        await aborted.promise;
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });
});

describe("sockets", () => {
  async function listening(server: Server, scope: CancelScope): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    scope.defer(async () => {
      server.close();
      await once(server, "close");
    });
    return (server.address() as { port: number }).port;
  }

  test("both halves of one as channels; each ends by itself", async () => {
    await run(async (nursery) => {
      const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
        nursery.startSoon(async () => {
          const out = fromWritable<string>(socket);
          let heard = "";
          for await (const chunk of fromReadable(socket)) heard += chunk;
          await out.send(`you said ${heard}`);
          await out.close();
        });
      });
      const port = await listening(server, nursery);
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      const out = fromWritable<string>(socket);
      for (const word of ["hello ", "world"]) await out.send(word);
      await out.close();
      let answer = "";
      for await (const chunk of fromReadable(socket)) answer += chunk;
      expect(answer).toBe("you said hello world");
      await closedOf(socket);
    });
  });

  test("a connection that cannot be made is an error where one receives", async () => {
    await run(async (nursery) => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      server.close();
      await once(server, "close");
      const socket = connect({ port, host: "127.0.0.1" });
      expect(await rejectionOf(fromReadable(socket).receive())).toMatchObject({ code: "ECONNREFUSED" });
      expect(nursery.cancelCalled).toBe(false);
    });
  });
});

test("the streams of a child process; and those of this process, which nobody may close", async () => {
  await run(async () => {
    const child = spawn(process.execPath, ["-e", "process.stdin.pipe(process.stdout)"]);
    const into = fromWritable<string>(child.stdin);
    await into.send("hello ");
    await into.send("child");
    await into.close();
    let out = "";
    for await (const chunk of fromReadable(child.stdout)) out += chunk;
    expect(out).toBe("hello child");
    const before = listenersOf(process.stdout);
    await moveOnAfter(1, async () => {
      const stdout = fromWritable<string>(process.stdout, { preventClose: true, preventAbort: true });
      await stdout.send("");
      await stdout.close();
      fromWritable<string>(process.stdout, { preventClose: true, preventAbort: true });
      await sleepForever();
    });
    expect([process.stdout.writable, listenersOf(process.stdout)]).toEqual([true, before]);
  });
});
