import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";

/** Two servers of the platform on loopback, one that answers over HTTP, and one that says back what it hears. */
export class Loopback {
  readonly #http = createServer((request, response) => {
    response.shouldKeepAlive = false;
    response.end("x".repeat(Number(request.url?.slice(1))));
  });
  readonly #echo = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });

  static async open(): Promise<Loopback> {
    const loopback = new Loopback();
    await Promise.all([listening(loopback.#http), listening(loopback.#echo)]);
    return loopback;
  }

  get httpPort(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get echoPort(): number {
    return (this.#echo.address() as AddressInfo).port;
  }

  /** While no request is under way. `fetch` keeps a connection that it made for one that was cancelled meanwhile, for the next one. */
  hangUp(): void {
    this.#http.closeAllConnections();
  }

  close(): void {
    this.#http.close();
    this.#echo.close();
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}
