import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { HOST } from "../servers/site.js";
import { byMessage } from "./genuine.js";

const KEY: Readonly<Record<Way, string>> = { stall: "nothing", complete: "list", fail: "text" };

const genuine = byMessage(/WRONGTYPE/);

export default family(
  "ioredis and redis",
  probe({
    name: "ioredis: redis.blpop(key, seconds)",
    needs: ["redis"],
    setup: async ({ ports, defer }: Kit) => {
      const redis = new Redis(ports.redis, HOST, { lazyConnect: true, retryStrategy: () => null });
      await redis.connect();
      defer(() => (redis.status === "ready" ? redis.quit() : undefined));
      await redis.set("text", "text");
      return redis;
    },
    call: async (way, task, redis, wrap) => {
      if (way === "complete") await redis.rpush("list", "item");
      const key = KEY[way];
      return wrap(() => redis.blpop(key, 1000), { onCancel: () => redis.disconnect() }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "The connection goes with it: give what blocks a connection of its own.",
  }),
  probe({
    name: "redis: client.blPop(key, seconds)",
    needs: ["redis"],
    setup: async ({ ports, defer }: Kit) => {
      const client = createClient({ socket: { host: HOST, port: ports.redis, reconnectStrategy: false } });
      client.on("error", () => {});
      await client.connect();
      defer(() => (client.isOpen ? client.destroy() : undefined));
      await client.set("text", "text");
      return client;
    },
    call: async (way, task, client, wrap) => {
      if (way === "complete") await client.rPush("list", "item");
      const key = KEY[way];
      return wrap(() => client.blPop(key, 1000), { onCancel: () => client.destroy() }, task);
    },
    takesNoSignal: true,
    genuine,
    note: "`client.withAbortSignal(signal)` takes back only what has not been sent yet.",
  }),
  probe({
    name: "redis: client.withAbortSignal(task.signal).lLen(key), while it waits for a connection",
    needs: ["redis"],
    setup: async ({ ports, defer }: Kit) => {
      const online = createClient({ socket: { host: HOST, port: ports.redis, reconnectStrategy: false } });
      await online.connect();
      await online.set("text", "text");
      // A server that takes the connection, and never says a word: what is open in this process stays the same while the client waits.
      const silent = createServer((socket) => socket.on("error", () => {}).resume());
      await new Promise<void>((resolve) => silent.listen(0, HOST, resolve));
      const offline = createClient({ socket: { host: HOST, port: (silent.address() as AddressInfo).port, reconnectStrategy: false } });
      offline.on("error", () => {});
      const connecting = offline.connect().catch(() => {});
      await once(silent, "connection");
      defer(async () => {
        online.destroy();
        offline.destroy();
        await connecting;
        await new Promise((resolve) => silent.close(resolve));
      });
      return { online, offline };
    },
    call: (way, { signal }, { online, offline }) => (way === "stall" ? offline : online).withAbortSignal(signal).lLen(KEY[way]),
    reached: () => true,
    genuine,
  }),
);
