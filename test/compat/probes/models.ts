import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { family } from "../harness/probe.js";
import { byMessage, byStatus } from "./genuine.js";
import { BACKOFF, EVENTS, overHttp, STATUS } from "./over-http.js";

const isMissing = byStatus(404);
const failed = byMessage(/meant to fail/);
const ENDS = { resolves: true, note: "Its loop ends as if the stream had." } as const;
const question = { model: "m", messages: [{ role: "user" as const, content: "?" }] };

const openai = (baseURL: string, maxRetries = 0) => new OpenAI({ baseURL, maxRetries, apiKey: "key" }).chat.completions;
const anthropic = (baseURL: string, maxRetries = 0) => new Anthropic({ baseURL, maxRetries, apiKey: "key" }).messages;

export default family(
  "Clients of language models",
  overHttp(
    "openai.chat.completions.create(body, { signal })",
    STATUS,
    (url, { signal }) => openai(url).create(question, { signal }),
    isMissing,
  ),
  overHttp(
    "openai.chat.completions.create(body, { signal }), before it tries again",
    BACKOFF,
    (url, task, wrap) => {
      const completions = openai(url, 3);
      return wrap((signal) => completions.create(question, { signal }), { settle: "now" }, task);
    },
    isMissing,
    {
      note: "It looks at the signal only when its wait is over, after as long as the server asked for. With `maxRetries: 0`, and `retry` around it, it does not wait.",
      leaves: { what: "its timer, until the wait is over", reports: /Timeout/ },
    },
  ),
  overHttp(
    "openai: for await (… of create({ stream: true }, { signal }))",
    EVENTS,
    async (url, { signal }) => {
      for await (const _ of await openai(url).create({ ...question, stream: true }, { signal }));
    },
    failed,
    ENDS,
  ),
  overHttp(
    "anthropic.messages.create(body, { signal })",
    STATUS,
    (url, { signal }) => anthropic(url).create({ ...question, max_tokens: 1 }, { signal }),
    isMissing,
  ),
  overHttp(
    "anthropic.messages.create(body, { signal }), before it tries again",
    BACKOFF,
    (url, { signal }) => anthropic(url, 3).create({ ...question, max_tokens: 1 }, { signal }),
    isMissing,
  ),
  overHttp(
    "anthropic: for await (… of create({ stream: true }, { signal }))",
    EVENTS,
    async (url, { signal }) => {
      for await (const _ of await anthropic(url).create({ ...question, max_tokens: 1, stream: true }, { signal }));
    },
    failed,
    ENDS,
  ),
  overHttp(
    "anthropic: messages.stream(body, { signal }).done()",
    EVENTS,
    (url, { signal }) =>
      anthropic(url)
        .stream({ ...question, max_tokens: 1 }, { signal })
        .done(),
    failed,
  ),
);
