import { type ClientRequest, get, type IncomingMessage, request } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { get as getSecurely } from "node:https";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { family, type Kit, probe, type Scope, type Way } from "../harness/probe.js";
import { byCode } from "./genuine.js";
import { BODY, HEADERS, isReset, overHttp, type Paths } from "./over-http.js";

export default family(
  "node:http, node:https, node:http2",
  overHttp("http.request(url, { signal }): the answer", HEADERS, (url, { signal }) => answered(request(url, { signal }).end())),
  overHttp(
    "http.get(url, { signal }): its body",
    BODY,
    async (url, task, wrap) => {
      const response = await answered(get(url, { signal: task.signal }));
      return wrap(() => text(response), {}, task);
    },
    isReset,
    { note: "The request tells of the abort; its response says that the connection was reset." },
  ),
  overHttp(
    "pipeline(response, sink, { signal }), of http.get(url, { signal })",
    BODY,
    async (url, task, wrap) => {
      const response = await answered(get(url, { signal: task.signal }));
      const sink = new PassThrough().resume();
      return wrap((signal) => pipeline(response, sink, { signal }), {}, task);
    },
    isReset,
    { note: "On Node 24 it, too, says that the connection was reset." },
  ),
  probe({
    name: "https.get(url, { signal })",
    needs: ["https"],
    setup: ({ https, certificate }: Kit) => ({ https, ca: certificate }),
    call: (way, { signal }, { https, ca }) => answered(getSecurely(`${https}/${HEADERS[way]}`, { signal, ca })),
    genuine: isReset,
    isPooled: true,
  }),
  probe({
    name: "http2Session.request(headers, { signal }): the answer",
    needs: ["http2"],
    setup: session,
    call: (way, task, open) =>
      new Promise((resolve, reject) => asked(open, HEADERS, way, task).once("response", resolve).once("error", reject).resume()),
    genuine: byCode("ERR_HTTP2_STREAM_ERROR"),
  }),
  probe({
    name: "http2Session.request(headers, { signal }): its body",
    needs: ["http2"],
    setup: session,
    call: (way, task, open) => text(asked(open, { ...BODY, fail: "reset" }, way, task)),
    genuine: byCode("ERR_HTTP2_STREAM_ERROR"),
  }),
);

function answered(asking: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asking.once("response", (response) => {
      // Its body may fail when nobody reads it yet.
      response.on("error", () => {});
      asking.on("error", () => {});
      resolve(response);
    });
    asking.once("error", reject);
  });
}

async function session({ http2, defer }: Kit): Promise<ClientHttp2Session> {
  const open = connect(http2);
  await new Promise((resolve) => open.once("remoteSettings", resolve));
  defer(() => new Promise<void>((resolve) => open.close(resolve)));
  return open;
}

function asked(open: ClientHttp2Session, paths: Paths, way: Way, { signal }: Scope): ClientHttp2Stream {
  return open.request({ ":path": `/${paths[way]}` }, { signal });
}
