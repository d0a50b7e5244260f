import { Writable } from "node:stream";
import { fetch, pipeline, request, stream, upgrade } from "undici";
import { family } from "../harness/probe.js";
import { BODY, HEADERS, overHttp } from "./over-http.js";

const HANDSHAKE = { "sec-websocket-key": Buffer.alloc(16).toString("base64"), "sec-websocket-version": "13" };

export default family(
  "undici",
  overHttp("request(url, { signal }): the answer", HEADERS, async (url, { signal }) => (await request(url, { signal })).body.dump()),
  overHttp("(await request(url, { signal })).body.text()", BODY, async (url, { signal }) => (await request(url, { signal })).body.text()),
  overHttp("for await (… of (await request(url, { signal })).body)", BODY, async (url, { signal }) => {
    const { body } = await request(url, { signal });
    for await (const _ of body);
  }),
  overHttp("stream(url, { method, signal }, factory)", BODY, (url, { signal }) =>
    stream(url, { method: "GET", signal }, () => new Writable({ write: (_chunk, _encoding, done) => done() })),
  ),
  overHttp("pipeline(url, { method, signal }, handler)", BODY, async (url, { signal }) => {
    const duplex = pipeline(url, { method: "GET", signal }, ({ body }) => body);
    duplex.end();
    for await (const _ of duplex);
  }),
  overHttp("upgrade(url, { protocol, signal })", HEADERS, async (url, { signal }) => {
    const { socket } = await upgrade(url, { protocol: "websocket", headers: HANDSHAKE, signal });
    await new Promise((resolve) => socket.once("close", resolve).destroy());
  }),
  overHttp("fetch(url, { signal })", HEADERS, async (url, { signal }) => (await fetch(url, { signal })).text()),
  overHttp("(await fetch(url, { signal })).text()", BODY, async (url, { signal }) => (await fetch(url, { signal })).text()),
);
