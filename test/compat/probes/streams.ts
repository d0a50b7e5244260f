import { addAbortSignal, Duplex, finished as finishedCallback, PassThrough, Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { WritableStream } from "node:stream/web";
import { setTimeout } from "node:timers/promises";
import type { Cancellable } from "creche";
import { family, type Probe, probe, type Scope, type Way, type Wrap } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

const genuine = byMessage(/meant to fail/);

const each = () => {};
const yes = () => true;
const no = () => false;
const several = () => [1, 2];

const all = async (chunks: AsyncIterable<unknown>) => {
  for await (const _ of chunks);
};

export default family(
  "Streams",
  probe({ name: "pipeline(source, sink, task)", call: (way, task) => pipeline(source(way), sink(), task), genuine }),
  probe({
    name: "pipeline(source, async function* (chunks, { signal }), sink, task)",
    call: (way, task) =>
      pipeline(
        source("complete"),
        async function* (chunks: AsyncIterable<unknown>, options?: Cancellable) {
          for await (const chunk of chunks) {
            await setTimeout(way === "stall" ? 1e6 : 1, undefined, options as Scope);
            if (way === "fail") throw new Error("meant to fail");
            yield chunk;
          }
        },
        sink(),
        task,
      ),
    genuine,
  }),
  probe({
    name: "finished(stream, task)",
    call: (way, task) => finished(source(way).resume(), task),
    genuine,
    note: "It gives up waiting, the stream goes on: `addAbortSignal` ends it.",
  }),
  probe({
    name: "finished(stream, { signal }, callback)",
    call: (way, { signal }) =>
      new Promise<void>((resolve, reject) => {
        finishedCallback(source(way).resume(), { signal }, (error) => (error ? reject(error) : resolve()));
      }),
    genuine,
    note: "As the promise.",
  }),
  probe({
    name: "for await (… of addAbortSignal(task.signal, readable))",
    call: (way, { signal }) => all(addAbortSignal(signal, source(way))),
    genuine,
  }),
  probe({ name: "for await (… of new Readable({ signal }))", call: (way, { signal }) => all(source(way, signal)), genuine }),
  probe({
    name: "for await (… of Readable.from(iterable, { signal }))",
    call: (way, { signal }) => all(Readable.from(chunks(way, signal), { signal })),
    genuine,
  }),
  probe({
    name: "new Writable({ signal })",
    call: async (way, { signal }) => {
      const stream = new Writable({ signal, write: (_chunk, _encoding, done) => answer(way, done) });
      stream.end("chunk");
      await finished(stream);
    },
    genuine,
  }),
  probe({
    name: "new Transform({ signal })",
    call: async (way, { signal }) => {
      const stream = new PassThrough({ signal, transform: (chunk, _encoding, done) => answer(way, (error) => done(error, chunk)) });
      stream.end("chunk");
      await all(stream);
    },
    genuine,
  }),
  probe({
    name: "for await (… of new Duplex({ signal }))",
    call: (way, { signal }) => {
      const stream = new Duplex({ signal, read() {}, write: (_chunk, _encoding, done) => answer(way, (error) => done(error)) });
      stream.end("chunk");
      stream.once("finish", () => stream.push(null));
      return all(stream);
    },
    genuine,
  }),
  probe({
    name: "addAbortSignal(task.signal, readable).toArray()",
    call: (way, { signal }) => addAbortSignal(signal, source(way)).toArray(),
    genuine,
    note: "The same for all the operators below: with it they need no wrapper.",
  }),
  probe({
    name: "for await (… of Readable.fromWeb(stream, { signal }))",
    call: (way, { signal }) => all(Readable.fromWeb(Readable.toWeb(source(way)), { signal })),
    genuine,
  }),
  probe({
    name: "Writable.fromWeb(stream, { signal })",
    call: async (way, { signal }) => {
      const stream = Writable.fromWeb(new WritableStream({ write: (_chunk, controller) => written(way, controller.signal) }), { signal });
      stream.end("chunk");
      await finished(stream);
    },
    genuine,
    note: "It waits for a write that is under way: the sink has to look at `controller.signal`.",
  }),
  probe({
    name: "for await (… of Duplex.fromWeb(pair, { signal }))",
    call: (way, { signal }) => all(Duplex.fromWeb({ readable: Readable.toWeb(source(way)), writable: new WritableStream() }, { signal })),
    genuine,
  }),
  probe({
    name: "for await (… of readable.compose(transform, { signal }))",
    call: (way, { signal }) => all(source(way).compose(new PassThrough(), { signal })),
    genuine,
  }),
  late("readable.toArray({ signal })", (readable, task, wrap) =>
    wrap((signal) => readable.toArray({ signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.forEach(each, { signal })", (readable, task, wrap) =>
    wrap((signal) => readable.forEach(each, { signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.some(test, { signal })", (readable, task, wrap) =>
    wrap((signal) => readable.some(no, { signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.every(test, { signal })", (readable, task, wrap) =>
    wrap((signal) => readable.every(yes, { signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.find(test, { signal })", (readable, task, wrap) =>
    wrap((signal) => readable.find(no, { signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.reduce(reducer, initial, { signal })", (readable, task, wrap) =>
    wrap((signal) => readable.reduce(no, false, { signal }), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.map(mapper, { signal }).toArray()", (readable, task, wrap) =>
    wrap((signal) => readable.map(each, { signal }).toArray(), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.filter(test, { signal }).toArray()", (readable, task, wrap) =>
    wrap((signal) => readable.filter(yes, { signal }).toArray(), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.flatMap(mapper, { signal }).toArray()", (readable, task, wrap) =>
    wrap((signal) => readable.flatMap(several, { signal }).toArray(), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.take(n, { signal }).toArray()", (readable, task, wrap) =>
    wrap((signal) => readable.take(10, { signal }).toArray(), { onCancel: () => readable.destroy() }, task),
  ),
  late("readable.drop(n, { signal }).toArray()", (readable, task, wrap) =>
    wrap((signal) => readable.drop(10, { signal }).toArray(), { onCancel: () => readable.destroy() }, task),
  ),
);

/** These look at the signal only when a chunk comes. */
function late(name: string, call: (readable: Readable, task: Scope, wrap: Wrap) => Promise<unknown>): Probe {
  return probe({
    name,
    call: (way, task, _env, wrap) => call(source(way), task, wrap),
    shown: call,
    genuine,
    note: "It looks at the signal when the next chunk comes, and an idle stream has none.",
  });
}

function answer(way: Way, done: (error?: Error | null) => void): void {
  if (way !== "stall") setImmediate(done, way === "fail" ? new Error("meant to fail") : null);
}

function written(way: Way, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    answer(way, (error) => (error ? reject(error) : resolve()));
  });
}

/** A stream that has had one chunk, and then waits, ends or fails. */
function source(way: Way, signal?: AbortSignal): Readable {
  const stream: Readable = new Readable({ objectMode: true, read() {}, ...(signal === undefined ? {} : { signal }) });
  // A failure that comes after the cancellation is nobody's, and a stream throws what nobody listens to.
  stream.on("error", () => {});
  stream.push("chunk");
  if (way === "complete") setImmediate(() => stream.push(null));
  if (way === "fail") setImmediate(() => stream.destroy(new Error("meant to fail")));
  return stream;
}

async function* chunks(way: Way, signal: AbortSignal): AsyncGenerator<string> {
  yield "chunk";
  await setTimeout(way === "stall" ? 1e6 : 1, undefined, { signal });
  if (way === "fail") throw new Error("meant to fail");
}

function sink(): Writable {
  return new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done() });
}
