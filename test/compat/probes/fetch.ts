import { ReadableStream } from "node:stream/web";
import { family } from "../harness/probe.js";
import { BODY, HEADERS, isReset, overHttp } from "./over-http.js";

/** Out here, for a closure inside would hold what is looked at below: a request that nobody holds. */
const textOf = (response: Response) => response.text();

export default family(
  "fetch",
  overHttp("fetch(url, task)", HEADERS, async (url, task) => (await fetch(url, task)).text()),
  overHttp("(await fetch(url, task)).text()", BODY, async (url, task) => (await fetch(url, task)).text()),
  overHttp("for await (… of (await fetch(url, task)).body)", BODY, async (url, task) => {
    const { body } = await fetch(url, task);
    for await (const _ of body as AsyncIterable<unknown>);
  }),
  overHttp("(await fetch(url, task)).body.pipeTo(sink)", BODY, async (url, task) => {
    const { body } = await fetch(url, task);
    await body?.pipeTo(new WritableStream());
  }),
  overHttp("fetch(new Request(url), task)", HEADERS, async (url, task) => (await fetch(new Request(url), task)).text()),
  overHttp(
    "fetch(new Request(url, task))",
    HEADERS,
    (url, task, wrap) => {
      let request: Request;
      return wrap(
        () => {
          request = new Request(url, task);
          return fetch(request).then(textOf);
        },
        { onCancel: () => void request },
        task,
      );
    },
    isReset,
    {
      note: "Node holds a request that has a signal by a weak reference: once it is collected, nobody hears of the abort. The wrapper holds it; better, pass the scope to `fetch`.",
    },
  ),
  overHttp("fetch(url, { signal: AbortSignal.any([task.signal, another]) })", HEADERS, async (url, { signal }) =>
    (await fetch(url, { signal: AbortSignal.any([signal, new AbortController().signal]) })).text(),
  ),
  overHttp("fetch(url, { body: stream, signal }): an upload that stalls", HEADERS, async (url, { signal }) => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    if (url.endsWith("/ok")) await body.cancel();
    return (await fetch(url, { method: "POST", body: url.endsWith("/ok") ? "all" : body, duplex: "half", signal } as RequestInit)).text();
  }),
);
