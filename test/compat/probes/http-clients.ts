import { text } from "node:stream/consumers";
import axios from "axios";
import { request as gaxios } from "gaxios";
import got from "got";
import { request as graphql } from "graphql-request";
import ky from "ky";
import fetch from "node-fetch";
import { family } from "../harness/probe.js";
import { byStatus } from "./genuine.js";
import { BACKOFF, BODY, HEADERS, overHttp, STATUS } from "./over-http.js";

const isMissing = byStatus(404);
/** Longer than any test: who tries again waits for ever. */
const LONG = 1e6;

export default family(
  "HTTP clients",
  overHttp("axios.get(url, { signal })", STATUS, (url, { signal }) => axios.get(url, { signal }), isMissing),
  overHttp("axios.get(url, { signal }): a stalled body", BODY, (url, { signal }) => axios.get(url, { signal })),
  overHttp(
    'axios.get(url, { signal, adapter: "fetch" })',
    STATUS,
    (url, { signal }) => axios.get(url, { signal, adapter: "fetch" }),
    isMissing,
  ),
  overHttp('axios.get(url, { signal, responseType: "stream" }): reading data', BODY, async (url, { signal }) => {
    const { data } = await axios.get(url, { signal, responseType: "stream" });
    return text(data);
  }),
  overHttp("got(url, { signal })", STATUS, (url, { signal }) => got(url, { signal, retry: { limit: 0 } }), isMissing),
  overHttp("got(url, { signal }).json()", BODY, (url, { signal }) => got(url, { signal, retry: { limit: 0 } }).json()),
  overHttp(
    "got(url, { signal }), before it tries again",
    BACKOFF,
    (url, { signal }) => got(url, { signal, retry: { limit: 5, calculateDelay: ({ error }) => (isMissing(error) ? 0 : LONG) } }),
    isMissing,
  ),
  overHttp("got.stream(url, { signal })", BODY, async (url, { signal }) => {
    for await (const _ of got.stream(url, { signal, retry: { limit: 0 } }));
  }),
  overHttp("ky(url, { signal })", STATUS, (url, { signal }) => ky(url, { signal, retry: 0, timeout: false }), isMissing),
  overHttp("ky(url, { signal }).json()", BODY, (url, { signal }) => ky(url, { signal, retry: 0, timeout: false }).json()),
  overHttp(
    "ky(url, { signal }), before it tries again",
    BACKOFF,
    (url, { signal }) => ky(url, { signal, timeout: false, retry: { limit: 5, afterStatusCodes: [], delay: () => LONG } }),
    isMissing,
  ),
  overHttp("fetch(url, { signal }) of node-fetch", HEADERS, async (url, { signal }) => (await fetch(url, { signal })).text()),
  overHttp("(await fetch(url, { signal })).text() of node-fetch", BODY, async (url, { signal }) => (await fetch(url, { signal })).text()),
  overHttp("for await (… of (await fetch(url, { signal })).body) of node-fetch", BODY, async (url, { signal }) => {
    const { body } = await fetch(url, { signal });
    for await (const _ of body as AsyncIterable<unknown>);
  }),
  overHttp("gaxios.request({ url, signal })", STATUS, (url, { signal }) => gaxios({ url, signal, retry: false }), isMissing),
  overHttp("gaxios.request({ url, signal }): a stalled body", BODY, (url, { signal }) => gaxios({ url, signal, retry: false })),
  overHttp(
    "graphql-request: request({ url, document, signal })",
    STATUS,
    (url, { signal }) => graphql({ url, document: "{ hello }", signal }),
    isMissing,
  ),
  overHttp("graphql-request: a stalled body", BODY, (url, { signal }) => graphql({ url, document: "{ hello }", signal })),
);
