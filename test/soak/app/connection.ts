import { Event, type MemoryReceiveChannel, type MemorySendChannel, openMemoryChannel } from "../../../src/index.js";
import type { Random } from "../random.js";
import type { handlers } from "./handlers/handlers.js";

/** How a request ended, as its client is told. */
export type Answer = "done" | "failed" | "too late" | "cancelled";

export interface Script {
  readonly what: keyof typeof handlers;
  /** In ms. */
  readonly timeout: number;
  readonly random: Random;
}

/** What a client asks for. */
export class Request {
  readonly name: string;
  readonly script: Script;
  readonly answered = new Event();
  answer: Answer | undefined = undefined;

  constructor(name: string, script: Script) {
    this.name = name;
    this.script = script;
  }

  reply(answer: Answer): void {
    this.answer = answer;
    this.answered.set();
  }
}

/** What a client and the server have of each other. */
export class Connection {
  readonly name: string;
  readonly send: MemorySendChannel<Request>;
  readonly requests: MemoryReceiveChannel<Request>;
  /** Aborted by the client who hangs up: a foreign signal, as that of a socket. */
  readonly line = new AbortController();
  /** The server has done with it. */
  readonly ended = new Event();

  constructor(name: string) {
    this.name = name;
    const { send, receive } = openMemoryChannel<Request>(4);
    this.send = send;
    this.requests = receive;
  }
}
