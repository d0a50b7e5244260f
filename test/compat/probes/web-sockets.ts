import { once } from "node:events";
import { WebSocket as Ws } from "ws";
import { family, probe } from "../harness/probe.js";
import { byMessage } from "./genuine.js";
import { HEADERS, STATUS } from "./over-http.js";

export default family(
  "Web sockets",
  probe({
    name: "ws: new WebSocket(url, { signal }), until it opens",
    needs: ["http"],
    setup: ({ http }) => http,
    call: async (way, { signal }, http) => {
      const socket = new Ws(`${http}/${STATUS[way]}`, { signal } as object);
      await new Promise((resolve, reject) => socket.once("error", reject).once("open", resolve));
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
    genuine: byMessage(/404/),
    note: "Not in its documentation. The signal has no effect on a socket that is open.",
  }),
  probe({
    name: 'ws: once(socket, "message", task)',
    needs: ["http"],
    setup: ({ http }) => http,
    call: async (way, task, http) => {
      const socket = new Ws(`${http}/${{ ...HEADERS, stall: "stall-body", fail: "reset" }[way]}`);
      try {
        return await once(socket, "message", task);
      } finally {
        socket.on("error", () => {});
        socket.terminate();
      }
    },
    genuine: byMessage(/socket hang up/),
  }),
  probe({
    name: "the global WebSocket, until it closes",
    needs: ["http"],
    since: 22,
    setup: ({ http }) => http,
    call: (way, task, http, wrap) => {
      const url = `${http.replace("http", "ws")}/${{ stall: "stall-body", complete: "ok", fail: "missing" }[way]}`;
      let socket: WebSocket;
      return wrap(
        () => {
          socket = new WebSocket(url);
          return conversation(socket);
        },
        { onCancel: () => socket.close() },
        task,
      );
    },
    takesNoSignal: true,
    genuine: byMessage(/the socket failed/),
    resolves: true,
  }),
);

/** One word of the server, up to the end of the socket. */
function conversation(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("the socket failed"));
    socket.onclose = () => resolve();
    socket.onmessage = () => socket.close();
  });
}
