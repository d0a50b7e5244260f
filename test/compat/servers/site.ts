/** What a probe talks to: a server of the suite, or a program that has to be installed. */
export type Need = "http" | "https" | "http2" | "grpc" | "postgres" | "mysql" | "redis" | "chromium";

/** Where the servers of one probe are. What the probe has no need of is an empty text, or port 0. */
export interface Addresses {
  /** `http://127.0.0.1:PORT`, to be followed by a path that says what is to happen: see `behaviours.ts`. */
  readonly http: string;
  readonly https: string;
  /** The certificate of `https`. */
  readonly certificate: string;
  readonly http2: string;
  /** `127.0.0.1:PORT` */
  readonly grpc: string;
  readonly ports: { readonly postgres: number; readonly mysql: number; readonly redis: number };
  /** The path of the program. */
  readonly chromium: string;
}

/** What the servers see of one probe at this instant. */
export interface ServerState {
  /** Open connections. */
  readonly connections: number;
  /** How many of them no request has come on yet: a pool may have opened them in advance. */
  readonly unused: number;
  /** HTTP requests that have come, all in all. */
  readonly served: number;
  /** Requests, queries and calls that they are busy with, or keep waiting. */
  readonly waiting: number;
}

export interface Site extends Addresses {
  state(): Promise<ServerState>;
}

export const HOST = "127.0.0.1";
