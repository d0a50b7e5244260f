import { addAbortSignal, type Readable, type Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { ReadableStream, TransformStream, WritableStream } from "node:stream/web";
import { setTimeout } from "node:timers/promises";
import { family, probe, type Way } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

const genuine = byMessage(/meant to fail/);

export default family(
  "Web streams",
  probe({ name: "readable.pipeTo(writable, task)", call: (way, task) => source(way).pipeTo(new WritableStream(), task), genuine }),
  probe({
    name: "readable.pipeThrough(transform, task)",
    call: async (way, task) => {
      for await (const _ of source(way).pipeThrough(new TransformStream(), task));
    },
    genuine,
  }),
  probe({
    name: "for await (… of addAbortSignal(task.signal, webStream))",
    call: async (way, { signal }) => {
      const stream = source(way);
      for await (const _ of addAbortSignal(signal, stream as unknown as Readable));
    },
    genuine,
  }),
  probe({
    name: "pipeline(webReadable, webWritable, task)",
    call: (way, task, _env, wrap) => {
      // Its types know streams of Node's own only.
      const [readable, writable] = [source(way) as unknown as Readable, new WritableStream() as unknown as Writable];
      return wrap((signal) => pipeline(readable, writable, { signal }), { settle: "now" }, task);
    },
    genuine,
    note: "It waits for the streams to end, and does not end them: `pipeTo` does.",
  }),
  probe({
    name: "finished(webStream, task)",
    call: (way, task) => finished(source(way, 0), task),
    genuine,
    note: "It gives up waiting, the stream goes on.",
  }),
);

/** A stream that has had some chunks, and then waits, ends or fails. */
function source(way: Way, chunks = 1): ReadableStream {
  return new ReadableStream({
    start: async (controller) => {
      for (let i = 0; i < chunks; i++) controller.enqueue("chunk");
      if (way === "stall") return;
      await setTimeout(1);
      if (way === "fail") controller.error(new Error("meant to fail"));
      else controller.close();
    },
  });
}
