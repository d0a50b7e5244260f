import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import {
  CancelScope,
  fromReadableStream,
  fromWritableStream,
  openMemoryChannel,
  openNursery,
  run,
  sleepForever,
  toReadableStream,
  toWritableStream,
} from "../../src/index.js";
import { fromReadable, fromWritable, toReadable, toWritable } from "../../src/node/index.js";
import { watchPlatform } from "../rules/r12-platform-watch.js";
import { watchRuntimes } from "../rules/r12-runtime-watch.js";
import { collect } from "./stream-support.js";

/** Every kind of stream, used to its end. */
async function complete(): Promise<void> {
  const [send, receive] = openMemoryChannel<number>(4);
  const writer = toWritableStream(send).getWriter();
  for (let i = 0; i < 4; i++) await writer.write(i);
  await writer.close();
  expect(await collect(toReadableStream(receive))).toEqual([0, 1, 2, 3]);
  const { readable, writable } = new TransformStream<number, number>({}, { highWaterMark: 4 }, { highWaterMark: 4 });
  const out = fromWritableStream(writable);
  for (let i = 0; i < 4; i++) await out.send(i);
  await out.close();
  for await (const _ of fromReadableStream(readable));
  const [into, from] = openMemoryChannel<number>(4);
  const sink = fromWritable<number>(toWritable(into));
  for (let i = 0; i < 4; i++) await sink.send(i);
  await sink.close();
  for await (const _ of fromReadable(toReadable(from)));
}

/** Every kind of stream, in the middle of something. */
function underWay(): void {
  void toReadableStream(openMemoryChannel<number>(0).receive)
    .getReader()
    .read()
    .catch(() => {});
  void toWritableStream(openMemoryChannel<number>(0).send)
    .getWriter()
    .write(1)
    .catch(() => {});
  toReadable(openMemoryChannel<number>(0).receive).read();
  toWritable(openMemoryChannel<number>(0).send).write(1);
  void fromReadableStream(new ReadableStream()).receive();
  void fromReadable(new Readable({ read() {} })).receive();
  void fromWritableStream(new WritableStream()).send(1);
  void fromWritable(new Writable({ write: (_chunk, _encoding, callback) => callback() })).send("chunk");
}

for (const [name, body] of [
  ["complete", complete],
  [
    "cancelled half way",
    () => {
      const scope = new CancelScope();
      return scope.run(async () => {
        underWay();
        await new Promise((resolve) => setImmediate(resolve));
        scope.cancel();
        await sleepForever();
      });
    },
  ],
] as const) {
  test(`R12: ${name}, streams leave no listener, no timer, no waiter, and make no controller`, async () => {
    const { added, removed, armed, controllers } = await watchPlatform(() => run(() => openNursery(body)));
    expect([added - removed, armed, controllers]).toEqual([0, 0, 0]);
    const { timers, waiters } = await watchRuntimes(() => run(() => openNursery(body)));
    expect([timers.length, waiters.filter((waiter) => !waiter.isOver)]).toEqual([0, []]);
  });
}

test("R12: a stream that is over keeps nothing alive, however long its scope goes on", async () => {
  const collected = async (refs: WeakRef<object>[]) => {
    for (let i = 0; i < 10 && refs.some((ref) => ref.deref() !== undefined); i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      (globalThis as { gc?: () => void }).gc?.();
    }
    return refs.every((ref) => ref.deref() === undefined);
  };
  await run(async () => {
    const refs: WeakRef<object>[] = [];
    const use = async () => {
      const [send, receive] = openMemoryChannel<number>(1);
      const stream = toReadableStream(receive);
      const channel = fromReadableStream(new ReadableStream());
      const node = fromReadable(Readable.from([1]));
      for await (const _ of node);
      await stream.cancel();
      channel.close();
      refs.push(new WeakRef(send), new WeakRef(receive), new WeakRef(stream), new WeakRef(channel), new WeakRef(node));
    };
    await use();
    expect(await collected(refs)).toBe(true);
  });
});
