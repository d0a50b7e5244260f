import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  Cancelled,
  type CancelScope,
  failAfter,
  fromReadableStream,
  type MemoryReceiveChannel,
  type MemorySendChannel,
  openMemoryChannel,
  openNursery,
  run,
  TimeoutError,
  toReadableStream,
  toWritableStream,
  UsageError,
} from "../../src/index.js";
import { fromReadable, fromWritable, toReadable } from "../../src/node/index.js";
import { serve } from "../bridges/stream-server.js";
import { rejectionOf } from "../kernel/support.js";

const here = fileURLToPath(import.meta.url);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "creche-docs-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function produce(send: MemorySendChannel<string>): Promise<void> {
  using own = send;
  for (const word of ["one", "two"]) await own.send(word);
}

function keeping<T>() {
  const kept: T[] = [];
  return { kept, destination: new WritableStream<T>({ write: (chunk) => void kept.push(chunk) }) };
}

/** Gives some bytes, then fails; or goes on for ever without any, if there is no error. */
function cutOff(error?: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from("half"));
      if (error !== undefined) setTimeout(() => controller.error(error), 5);
    },
  });
}

/** Lines as somebody sends them. */
function linesIn(...lines: string[]): MemoryReceiveChannel<string> {
  const [send, receive] = openMemoryChannel<string>(lines.length);
  for (const line of lines) send.sendNowait(line);
  send.close();
  return receive;
}

test("every snippet of docs/streams.md is in here, and runs", () => {
  const plain = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .join("\n");
  const docs = readFileSync(join(here, "../../../docs/streams.md"), "utf8");
  const own = plain(readFileSync(here, "utf8"));
  const snippets = [...docs.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => plain(code as string));
  expect(snippets.length).toBe(12);
  for (const snippet of snippets) expect(own).toContain(snippet);
});

test("a download", async () => {
  async function download(url: string, scope: CancelScope): Promise<number> {
    const { body } = await fetch(url, scope);
    let bytes = 0;
    for await (const chunk of fromReadableStream(body as ReadableStream<Uint8Array>)) bytes += chunk.length;
    return bytes;
  }
  await run(async (nursery) => {
    const url = await serve((_, response) => response.end("x".repeat(100_000)), nursery);
    expect(await download(url, nursery)).toBe(100_000);
  });
});

describe("a stream that leaves its scope", () => {
  test("is over before anybody reads it", async () => {
    await run(async () => {
      const [send, receive] = openMemoryChannel<string>(2);
      const { kept, destination } = keeping<string>();
      const wrong = async () => {
        const stream = await openNursery((nursery) => {
          nursery.startSoon(() => produce(send));
          return toReadableStream(receive); // in the nursery, which ends here
        });
        await stream.pipeTo(destination); // throws the Cancelled
      };
      expect(await rejectionOf(wrong())).toBeInstanceOf(Cancelled);
      expect(kept).toEqual([]);
    });
  });

  test("right: who reads it is inside", async () => {
    await run(async () => {
      const [send, receive] = openMemoryChannel<string>(2);
      const { kept, destination } = keeping<string>();
      await openNursery(async (nursery) => {
        nursery.startSoon(() => produce(send));
        await toReadableStream(receive).pipeTo(destination, { signal: nursery.signal });
      });
      expect(kept).toEqual(["one", "two"]);
    });
  });
});

describe("what was cut off", () => {
  let isCommitted = false;
  const store = async (_: Uint8Array) => {};
  const commit = async () => {
    isCommitted = true;
  };
  const endOf = async (running: Promise<unknown>) => {
    isCommitted = false;
    const error = await rejectionOf(running);
    return { error, isCommitted };
  };

  test("does not look complete", async () => {
    const boom = new Error("boom");
    const body = cutOff(boom);
    const running = run(async () => {
      await openNursery(async (nursery) => {
        const [send, receive] = openMemoryChannel<Uint8Array>(4);
        nursery.startSoon((task) => body.pipeTo(toWritableStream(send, nursery), { signal: task.signal }));
        for await (const chunk of receive) await store(chunk);
        await commit(); // not reached, if the body was cut off
      });
    });
    expect(await endOf(running)).toEqual({ error: boom, isCommitted: false });
  });

  test("does to receivers outside of what is cancelled", async () => {
    const [body, timeout] = [cutOff(), 5];
    const running = run(async (nursery) => {
      const [send, receive] = openMemoryChannel<Uint8Array>(4);
      nursery.startSoon(async () => {
        for await (const chunk of receive) await store(chunk);
        await commit(); // reached, and cancelled there at the earliest
      });
      await failAfter(timeout, (scope) => body.pipeTo(toWritableStream(send), { signal: scope.signal }));
    });
    expect(await endOf(running)).toEqual({ error: expect.any(TimeoutError), isCommitted: true });
  });

  test("right: the stream lives in the nursery in which it is received", async () => {
    const [body, timeout] = [cutOff(), 5];
    const running = run(async (nursery) => {
      const [send, receive] = openMemoryChannel<Uint8Array>(4);
      nursery.startSoon(async () => {
        for await (const chunk of receive) await store(chunk);
        await commit();
      });
      await failAfter(timeout, (scope) => body.pipeTo(toWritableStream(send, nursery), { signal: scope.signal }));
    });
    expect(await endOf(running)).toEqual({ error: expect.any(BrokenResourceError), isCommitted: false });
  });

  test("is an error for receivers that do without a channel in between", async () => {
    const seen: string[] = [];
    const write = async (writable: WritableStream<string>) => {
      const writer = writable.getWriter();
      await writer.write("half");
      await writer.abort(new Error("boom"));
    };
    await run(async (nursery) => {
      const { readable, writable } = new TransformStream<string, string>();
      nursery.startSoon(() => write(writable).catch(() => {}));
      try {
        for await (const chunk of fromReadableStream(readable)) seen.push(chunk);
      } catch (error) {
        seen.push(`${error}`); // what the writer aborted with
      }
    });
    expect(seen).toEqual(["half", "Error: boom"]);
  });
});

describe("a stream that is written", () => {
  test("is not complete because its scope is left", async () => {
    const path = join(folder, "wrong");
    const running = run(async () => {
      const lines = linesIn("one\n", "two\n");
      const out = fromWritable(createWriteStream(path));
      for await (const line of lines) await out.send(line);
      // a UsageError: the file was destroyed, and may lack its end
    });
    expect(await rejectionOf(running)).toBeInstanceOf(UsageError);
  });

  test("right: it is when `await close()` is", async () => {
    const path = join(folder, "right");
    await run(async () => {
      const lines = linesIn("one\n", "two\n");
      const out = fromWritable(createWriteStream(path));
      for await (const line of lines) await out.send(line);
      await out.close();
    });
    expect(await readFile(path, "utf8")).toBe("one\ntwo\n");
  });

  test("may be one that is not ours to close", async () => {
    const message = "";
    await run(async () => {
      const log = fromWritable<string>(process.stderr, { preventClose: true, preventAbort: true });
      await log.send(message);
      await log.close(); // it has been written
    });
    expect(process.stderr.writable).toBe(true);
  });
});

test("a pipeline", async () => {
  async function compress(lines: MemoryReceiveChannel<string>, path: string, scope: CancelScope): Promise<void> {
    await pipeline(toReadable(lines), createGzip(), createWriteStream(path), { signal: scope.signal });
  }
  const path = join(folder, "lines.gz");
  await run((nursery) => compress(linesIn("one\n", "two\n"), path, nursery));
  expect(gunzipSync(await readFile(path)).toString()).toBe("one\ntwo\n");
});

test("several streams into one channel", async () => {
  const received = await run(async (nursery) => {
    const [send, receive] = openMemoryChannel<string>(0);
    const parts = [["a", "b"], ["c"]].map((chunks) => toReadableStream(linesIn(...chunks)));
    const receiving = nursery.startSoon(async () => {
      const all: string[] = [];
      for await (const chunk of receive) all.push(chunk);
      return all;
    });
    for (const part of parts) await part.pipeTo(toWritableStream(send, { preventClose: true }));
    send.close();
    return receiving.join();
  });
  expect(received).toEqual(["a", "b", "c"]);
});

test("the example of fromReadable", async () => {
  const bytes = await run(async () => {
    let count = 0;
    for await (const chunk of fromReadable(createReadStream(here))) count += chunk.length;
    return count;
  });
  expect(bytes).toBe(readFileSync(here).length);
});
