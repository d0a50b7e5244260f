import type { IncomingMessage, ServerResponse } from "node:http";

/** What the HTTP servers do with a request, by a segment of its path: so `/stall-headers/chat/completions` stalls, too. */
export type Behaviour = keyof typeof behaviours;

/** Enough of everything that the clients want to see in an answer. */
const ANSWER = JSON.stringify({ data: { hello: "world" }, choices: [], content: [], model: "m", object: "chat.completion" });

const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, choices: [], ...data })}\n\n`;

const MESSAGE = { id: "m", type: "message", role: "assistant", content: [], model: "m", stop_reason: null, stop_sequence: null };
const FIRST = event("message_start", { message: { ...MESSAGE, usage: { input_tokens: 1, output_tokens: 1 } } });
const LAST = event("message_stop", {});

const JSON_TYPE = { "content-type": "application/json", connection: "close" };
const EVENTS_TYPE = { "content-type": "text/event-stream", connection: "close" };

/** Long enough for a client to have seen the headers. */
const READ_MS = 15;

const behaviours = {
  "stall-headers": () => {},
  "stall-body": (response: ServerResponse) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": 1_000 });
    response.write(ANSWER.slice(0, 5));
  },
  "stall-events": (response: ServerResponse) => {
    response.writeHead(200, EVENTS_TYPE);
    response.write(FIRST);
  },
  ok: (response: ServerResponse) => void response.writeHead(200, JSON_TYPE).end(ANSWER),
  events: (response: ServerResponse) => void response.writeHead(200, EVENTS_TYPE).end(`${FIRST}${LAST}data: [DONE]\n\n`),
  "error-event": (response: ServerResponse) =>
    void response.writeHead(200, EVENTS_TYPE).end(`${FIRST}${event("error", { error: { type: "api_error", message: "meant to fail" } })}`),
  missing: (response: ServerResponse) =>
    void response.writeHead(404, { ...JSON_TYPE, "x-should-retry": "false" }).end('{"errors":[{"message":"missing"}]}'),
  /** A client that tries again waits for half a minute. */
  busy: (response: ServerResponse) => void response.writeHead(503, { ...JSON_TYPE, "retry-after": "30" }).end("{}"),
  reset: (response: ServerResponse) => void response.socket?.destroy(),
  "reset-body": (response: ServerResponse) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": 1_000 });
    response.write(ANSWER.slice(0, 5));
    setTimeout(() => response.socket?.destroy(), READ_MS);
  },
  page: (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/html", connection: "close" });
    response.end("<title>page</title><button id=shown>shown</button>");
  },
};

const NAMES = new Set<string>(Object.keys(behaviours));

export function isStall(name: string): boolean {
  return name.startsWith("stall");
}

export function behaviourOf(path: string | undefined): Behaviour {
  return (path?.split(/[/?]/).find((segment) => NAMES.has(segment)) ?? "missing") as Behaviour;
}

/** Behaves as the path says, once the request has arrived; returns whether it will now keep the client waiting. */
export function behave(request: IncomingMessage, response: ServerResponse): boolean {
  const name = behaviourOf(request.url);
  request.resume();
  behaviours[name](response);
  return isStall(name);
}
