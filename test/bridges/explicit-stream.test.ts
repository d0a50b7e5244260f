import { Readable, Writable } from "node:stream";
import { expect, test, vi } from "vitest";
import {
  type Cancellable,
  CancelScope,
  fromReadableStream,
  fromWritableStream,
  MissingScopeError,
  openMemoryChannel,
  run,
  type StreamReceiveChannel,
  sleep,
  toReadableStream,
  toWritableStream,
} from "../../src/index.js";
import { fromReadable, fromWritable, toReadable, toWritable } from "../../src/node/index.js";
import { rejectionOf, thrownBy } from "../kernel/support.js";

// A platform without anything that follows a call through its awaits, as browsers are.
vi.mock("#context", () => import("../../src/kernel/context.none.js"));

async function all<T>(channel: StreamReceiveChannel<T>, scope: Cancellable): Promise<T[]> {
  const items: T[] = [];
  for await (const item of channel.values({ signal: scope.signal })) items.push(item);
  return items;
}

test("where scopes are passed, streams live in them: complete", async () => {
  const items = ["a", "b", "c"];
  const seen = await run(async (nursery) => {
    const [into, out] = openMemoryChannel<string>(0);
    nursery.startSoon(async (task) => {
      using send = into;
      for (const item of items) await send.send(item, task);
    });
    const transform = new TransformStream<string, string>();
    const [into2, out2] = openMemoryChannel<string>(0);
    nursery.startSoon(() => toReadableStream(out, nursery).pipeThrough(transform).pipeTo(toWritableStream(into2, nursery)));
    const readable = toReadable(out2, nursery);
    const [into3, out3] = openMemoryChannel<string>(0);
    readable.pipe(toWritable(into3, nursery));
    const { readable: web, writable } = new TransformStream<string, string>();
    nursery.startSoon(async (task) => {
      const channel = fromWritableStream(writable, task);
      for (let i = 0; i < items.length; i++) await channel.send(await out3.receive(task), task);
      await channel.close(task);
    });
    const chunks = await all(fromReadableStream(web, nursery), nursery);
    return all(fromReadable<string>(Readable.from(chunks), nursery), nursery);
  });
  expect(seen).toEqual(items);
});

test("where scopes are passed, streams live in them: cancelled, and let go in shielded cleanups", async () => {
  await run(async (nursery) => {
    const scope = new CancelScope();
    const log: string[] = [];
    await scope.run(async () => {
      const cancel = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push("cancelled");
      };
      const source = new Readable({ read() {} });
      const sink = toWritable(openMemoryChannel(0).send, nursery);
      fromReadableStream(new ReadableStream({ cancel }), scope);
      fromWritableStream(new WritableStream({ abort: cancel }), scope);
      const receiving = rejectionOf(fromReadable(source, scope).receive(scope));
      fromWritable(sink, { signal: scope.signal, preventAbort: true });
      sink.end();
      scope.cancel();
      expect(await receiving).toBe(scope.signal.reason);
    }, nursery);
    expect([scope.cancelledCaught, log]).toEqual([false, ["cancelled", "cancelled"]]);
    await sleep(1, nursery);
  });
});

test("R13: where none is passed, that is what is said", async () => {
  await run(() => {
    const [send, receive] = openMemoryChannel<string>(0);
    const calls = [
      () => toReadableStream(receive),
      () => toWritableStream(send),
      () => fromReadableStream(new ReadableStream()),
      () => fromWritableStream(new WritableStream()),
      () => toReadable(receive),
      () => toWritable(send),
      () => fromReadable(new Readable()),
      () => fromWritable(new Writable()),
    ];
    for (const call of calls) expect(thrownBy(call)).toBeInstanceOf(MissingScopeError);
  });
});
