import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { behave, behaviourOf, isStall } from "./behaviours.js";
import { HOST } from "./site.js";

/** A server of the suite, and what it sees. */
export interface Watched {
  readonly port: number;
  readonly connections: () => number;
  readonly unused: () => number;
  readonly served: () => number;
  readonly waiting: () => number;
  readonly close: () => void;
}

/** HTTP that behaves as the paths say, and web sockets that say one word to who listens. */
export async function openHttp(tls?: { readonly key: string; readonly cert: string }): Promise<Watched> {
  let waiting = 0;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (!behave(request, response)) return;
    waiting++;
    response.once("close", () => waiting--);
  };
  const server = tls === undefined ? createHttpServer(answer) : createHttpsServer(tls, answer);
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const name = behaviourOf(request.url);
    socket.on("error", () => {});
    // Nobody reads it here, and so nobody would see its end.
    if (isStall(name)) socket.resume().on("end", () => socket.destroy());
    if (name === "reset") socket.destroy();
    else if (name === "missing") socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    else {
      if (isStall(name)) {
        waiting++;
        socket.once("close", () => waiting--);
      }
      if (name !== "stall-headers") sockets.handleUpgrade(request, socket, head, (client) => name === "ok" && client.send("hello"));
    }
  });
  return watch(server, () => waiting);
}

export async function openHttp2(): Promise<Watched> {
  let waiting = 0;
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const name = behaviourOf(headers[":path"]);
    stream.on("error", () => {});
    if (isStall(name)) {
      waiting++;
      stream.once("close", () => waiting--);
    }
    if (name === "reset") stream.close(2);
    else if (name === "stall-body") {
      stream.respond({ ":status": 200 });
      stream.write("{");
    } else if (name !== "stall-headers") {
      stream.respond({ ":status": 200 });
      stream.end("{}");
    }
  });
  return watch(server, () => waiting);
}

export interface Tap extends Watched {
  /** From which it has reached the server. */
  readonly ports: ReadonlySet<number>;
}

/** In front of a server of somebody else: passes everything on, and counts. */
export async function openTap(port: number): Promise<Tap> {
  const ports = new Set<number>();
  const server = createTcpServer((client) => {
    const upstream = connect(port, HOST, () => ports.add((upstream.address() as AddressInfo).port));
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  return { ...(await watch(server, () => 0)), unused: () => 0, ports };
}

async function watch(server: Server | Http2Server, waiting: () => number): Promise<Watched> {
  const open = new Set<Socket>();
  const used = new WeakSet<Socket>();
  let served = 0;
  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
  });
  for (const event of ["request", "upgrade"]) {
    server.on(event, ({ socket }: IncomingMessage) => {
      used.add(socket);
      served++;
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
  });
  const close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  const unused = () => [...open].filter((socket) => !used.has(socket)).length;
  return { port, connections: () => open.size, unused, served: () => served, waiting, close };
}
