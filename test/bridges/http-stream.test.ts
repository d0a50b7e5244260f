import { createGunzip, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  type CancelScope,
  fromReadableStream,
  fromWritableStream,
  type MemoryReceiveChannel,
  type MemorySendChannel,
  openMemoryChannel,
  openNursery,
  run,
  type StreamReceiveChannel,
  sleepForever,
  toReadableStream,
  toWritableStream,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { serve, signalled } from "./stream-server.js";

const LINES = 20_000;
const text = Array.from({ length: LINES }, (_, i) => `line ${i}: ${"x".repeat(i % 50)}\n`).join("");

async function bodyOf(url: string, scope: CancelScope): Promise<ReadableStream<Uint8Array>> {
  const { body } = await fetch(url, scope);
  if (body === null) throw new Error("no body");
  return body as ReadableStream<Uint8Array>;
}

/** Sends the lines of what is received. */
async function splitLines(chunks: StreamReceiveChannel<string>, lines: MemorySendChannel<string>): Promise<void> {
  using send = lines;
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) await send.send(line);
  }
  if (rest !== "") await send.send(rest);
}

async function count(lines: MemoryReceiveChannel<string>): Promise<number> {
  using receive = lines;
  let seen = 0;
  for await (const _ of receive) seen++;
  return seen;
}

/** Writes for ever, as fast as it may, and tells how much when it may no more for a while. */
function endless(written: { bytes: number }, isBlocked: () => void) {
  return (_: unknown, response: import("node:http").ServerResponse) => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    let timer: NodeJS.Timeout | undefined;
    response.once("close", () => clearTimeout(timer));
    const write = () => {
      let mayGoOn = true;
      while (mayGoOn && !response.destroyed) {
        mayGoOn = response.write(chunk);
        written.bytes += chunk.length;
      }
      timer = setTimeout(isBlocked, 250);
      response.once("drain", () => {
        clearTimeout(timer);
        write();
      });
    };
    write();
  };
}

describe("over HTTP", () => {
  test("a gzipped response goes through a channel to several tasks, line by line", async () => {
    const total = await run(async (nursery) => {
      const url = await serve((_, response) => response.end(gzipSync(text)), nursery);
      const body = await bodyOf(url, nursery);
      const decoded = body.pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TextDecoderStream());
      const [send, receive] = openMemoryChannel<string>(8);
      const counters = [receive.clone(), receive.clone(), receive].map((end) => nursery.startSoon(() => count(end)));
      await splitLines(fromReadableStream(decoded as ReadableStream<string>), send);
      let sum = 0;
      for (const counter of counters) sum += await counter.join();
      return sum;
    });
    expect(total).toBe(LINES);
  });

  test("several tasks write a gzipped request through a channel", async () => {
    const received = await run(async (nursery) => {
      const arrived = signalled<number>();
      const url = await serve((request, response) => {
        let lines = 0;
        request
          .pipe(createGunzip())
          .on("data", (chunk: Buffer) => {
            for (const byte of chunk) if (byte === 10) lines++;
          })
          .on("end", () => {
            arrived.resolve(lines);
            response.end("thanks");
          });
      }, nursery);
      const [send, receive] = openMemoryChannel<Uint8Array>(4);
      for (const own of [send.clone(), send.clone(), send]) {
        nursery.startSoon(async () => {
          using end = own;
          for (let i = 0; i < 1_000; i++) await end.send(Buffer.from(`${i}\n`));
        });
      }
      const body = toReadableStream(receive).pipeThrough(new CompressionStream("gzip"));
      const response = await fetch(url, { method: "POST", body, duplex: "half", signal: nursery.signal } as RequestInit);
      expect(await response.text()).toBe("thanks");
      return arrived.promise;
    });
    expect(received).toBe(3_000);
  });

  test("leaving the loop half way ends the connection", async () => {
    await run(async (nursery) => {
      const closed = signalled();
      const written = { bytes: 0 };
      const answer = endless(written, () => {});
      const url = await serve((request, response) => {
        response.once("close", closed.resolve);
        answer(request, response);
      }, nursery);
      await openNursery(async (inner) => {
        let taken = 0;
        for await (const chunk of fromReadableStream(await bodyOf(url, inner))) {
          taken += chunk.length;
          if (taken > 1_000_000) break;
        }
      });
      await closed.promise;
    });
  });

  test("cancelled half way: the connection is ended, nothing is unhandled, and it is that cancellation that comes out", async () => {
    const { unhandled, uncaught } = await watchProcess(() =>
      run(async (nursery) => {
        const closed = signalled();
        const answer = endless({ bytes: 0 }, () => {});
        const url = await serve((request, response) => {
          response.once("close", closed.resolve);
          answer(request, response);
        }, nursery);
        const seen: unknown[] = [];
        await openNursery(async (inner) => {
          const [send, receive] = openMemoryChannel<Uint8Array>(2);
          const body = await bodyOf(url, inner);
          inner.startSoon(async () => {
            seen.push(await rejectionOf(body.pipeTo(toWritableStream(send, inner), { signal: inner.signal })));
            await sleepForever();
          });
          inner.startSoon(async () => {
            let taken = 0;
            for await (const chunk of receive) {
              taken += chunk.length;
              if (taken > 1_000_000) inner.cancel("enough");
            }
            seen.push("complete");
          });
        });
        await closed.promise;
        expect(seen).toEqual([expect.objectContaining({ kind: "cancel", cause: "enough" })]);
      }),
    );
    expect([unhandled, uncaught]).toEqual([[], []]);
  });

  test("a response that is cut off fails the nursery: it does not look complete", async () => {
    let isComplete = false;
    let taken = 0;
    const running = run(async (nursery) => {
      const url = await serve((_, response) => {
        response.writeHead(200, { "content-length": text.length });
        response.write(text.slice(0, 100_000), () => response.destroy());
      }, nursery);
      const [send, receive] = openMemoryChannel<Uint8Array>(1);
      const body = await bodyOf(url, nursery);
      nursery.startSoon(() => body.pipeTo(toWritableStream(send, nursery)));
      for await (const chunk of receive) taken += chunk.length;
      isComplete = true;
    });
    expect(await rejectionOf(running)).toMatchObject({ message: "terminated" });
    expect([isComplete, taken <= 100_000]).toEqual([false, true]);
  });

  test("who does not receive stops the server", async () => {
    await run(async (nursery) => {
      const blocked = signalled();
      const written = { bytes: 0 };
      const url = await serve(endless(written, blocked.resolve), nursery);
      await openNursery(async (inner) => {
        const channel = fromReadableStream(await bodyOf(url, inner));
        await channel.receive();
        await blocked.promise;
        // What fits into the sockets, and not what could be sent in that time, which are gigabytes.
        expect(written.bytes).toBeLessThan(64 * 1024 * 1024);
      });
    });
  });

  test("a server that does not read stops who sends", async () => {
    await run(async (nursery) => {
      const url = await serve(() => {}, nursery);
      await openNursery(async (inner) => {
        const [send, receive] = openMemoryChannel<Uint8Array>(2);
        const uploading = inner.startSoon(() =>
          fetch(url, { method: "POST", body: toReadableStream(receive), duplex: "half", signal: inner.signal } as RequestInit),
        );
        let sent = 0;
        const blocked = signalled();
        let timer = setTimeout(() => {});
        inner.startSoon(async () => {
          const chunk = Buffer.alloc(64 * 1024);
          for (;;) {
            clearTimeout(timer);
            timer = setTimeout(blocked.resolve, 250);
            await send.send(chunk);
            sent += chunk.length;
          }
        });
        await blocked.promise;
        expect(sent).toBeLessThan(64 * 1024 * 1024);
        inner.cancel();
        await rejectionOf(uploading.join());
      });
    });
  });

  test("an upload through an identity stream: complete with close(), cut off with abort()", async () => {
    await run(async (nursery) => {
      for (const isComplete of [true, false]) {
        const [begun, received] = [signalled(), signalled<string>()];
        const url = await serve((request, response) => {
          let body = "";
          request.on("data", (chunk) => {
            body += chunk;
            begun.resolve();
          });
          request.on("error", () => received.resolve(`${body}, cut off`));
          request.on("end", () => {
            received.resolve(body);
            response.end();
          });
        }, nursery);
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        const upload = openNursery(async (inner) => {
          const uploading = inner.startSoon(() => fetch(url, { method: "POST", body: readable, duplex: "half" } as RequestInit));
          const out = fromWritableStream(writable);
          await out.send(Buffer.from("hello"));
          await begun.promise;
          if (isComplete) await out.close();
          else out.abort(new Error("no more"));
          await uploading.join();
        });
        if (isComplete) await upload;
        else expect(await rejectionOf(upload)).toMatchObject({ message: "fetch failed", cause: { message: "no more" } });
        expect(await received.promise).toBe(isComplete ? "hello" : "hello, cut off");
      }
    });
  });
});
