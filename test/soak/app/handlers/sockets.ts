import { connect } from "node:net";
import type { CancelScope } from "../../../../src/index.js";
import { fromEvent } from "../../../../src/index.js";
import { fromReadable } from "../../../../src/node/index.js";
import type { Call } from "../call.js";

/** Sockets are dear next to the rest: most calls do without. */
const SHARE = 0.1;

/** A request over HTTP; the scope is its options. */
export async function fetched(call: Call, scope: CancelScope): Promise<void> {
  if (!call.random.chance(SHARE)) return;
  const bytes = call.random.between(1, 40_000);
  const response = await fetch(`http://127.0.0.1:${call.app.loopback.httpPort}/${bytes}`, scope);
  const text = await response.text();
  call.check(text.length === bytes, () => `the body of a response has ${text.length} bytes, not ${bytes}`);
}

/** A connection that says back what it hears, read as a channel; destroyed however this ends. */
export async function echoed(call: Call, scope: CancelScope): Promise<void> {
  if (!call.random.chance(SHARE)) return;
  const socket = connect(call.app.loopback.echoPort, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  scope.defer(async () => {
    socket.destroy();
    await closed;
  });
  socket.on("error", () => {});
  await fromEvent(socket, "connect", undefined, call.at(scope));
  const sent = "x".repeat(call.random.between(1, 2_000));
  socket.end(sent);
  let heard = 0;
  for await (const chunk of fromReadable<Buffer>(socket, { signal: scope.signal })) heard += chunk.length;
  call.check(heard === sent.length, () => `an echo has ${heard} bytes, not ${sent.length}`);
}
