import { createSocket } from "node:dgram";
import { connect, createServer, type Server, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { freePort } from "../servers/server-process.js";
import { HOST } from "../servers/site.js";
import { byCode } from "./genuine.js";

const refused = byCode("ECONNREFUSED");
const taken = byCode("EADDRINUSE");

const EARLY =
  "With a signal that was aborted before, Node opens the connection all the same, and keeps it. `cancellable` does not call it then.";

interface Ports {
  readonly open: number;
  readonly closed: number;
}

const ports = async ({ http, https }: Kit): Promise<Ports> => ({ open: Number(new URL(http || https).port), closed: await freePort() });

export default family(
  "Sockets",
  probe({
    name: "net.connect({ port, signal })",
    needs: ["http"],
    setup: ports,
    call: (way, task, { open, closed }, wrap) => {
      const port = way === "fail" ? closed : open;
      const talk = (socket: Socket) => conversation(socket, way);
      return wrap((signal) => talk(connect({ host: HOST, port, signal })), {}, task);
    },
    genuine: refused,
    note: EARLY,
  }),
  probe({
    name: "new Socket({ signal }).connect(port)",
    needs: ["http"],
    setup: ports,
    call: (way, task, { open, closed }, wrap) => {
      const port = way === "fail" ? closed : open;
      const talk = (socket: Socket) => conversation(socket, way);
      return wrap((signal) => talk(new Socket({ signal }).connect(port)), {}, task);
    },
    genuine: refused,
    note: EARLY,
  }),
  probe({
    name: "tls.connect({ port, signal })",
    needs: ["https"],
    setup: async (kit: Kit) => ({ ...(await ports(kit)), ca: kit.certificate }),
    call: (way, { signal }, { open, closed, ca }) => {
      const options = { host: HOST, port: way === "fail" ? closed : open, ca, signal };
      return conversation(connectTls(options), way);
    },
    genuine: refused,
    note: "Not in Node's documentation.",
  }),
  probe({
    name: "server.listen({ port, signal })",
    needs: ["http"],
    setup: ports,
    call: (way, { signal }, { open }) => {
      const server = createServer();
      server.listen({ host: HOST, port: way === "fail" ? open : 0, signal });
      if (way === "complete") server.once("listening", () => server.close());
      return ended(server);
    },
    reached: () => true,
    genuine: taken,
    resolves: true,
  }),
  probe({
    name: "dgram.createSocket({ type, signal })",
    setup: async ({ defer }) => {
      const other = createSocket("udp4");
      await new Promise<void>((resolve) => other.bind(0, HOST, resolve));
      defer(() => new Promise<void>((resolve) => other.close(resolve)));
      return other.address().port;
    },
    call: (way, { signal }, port) => {
      const socket = createSocket({ type: "udp4", signal });
      if (way === "complete") socket.once("listening", () => socket.close());
      // One that was closed before it was bound does not take a port.
      if (!signal.aborted) socket.bind(way === "fail" ? port : 0, HOST);
      return new Promise<void>((resolve, reject) => {
        socket.once("close", resolve);
        socket.once("error", (error) => {
          socket.close();
          reject(error);
        });
      });
    },
    genuine: taken,
    resolves: true,
  }),
);

/** The whole life of a connection: a server of the suite waits for a request that does not come. */
function conversation(socket: Socket, way: Way): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => resolve());
    if (way === "complete") socket.once("connect", () => socket.end("GET /ok HTTP/1.0\r\n\r\n").resume());
  });
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("close", resolve);
    server.once("error", reject);
  });
}
