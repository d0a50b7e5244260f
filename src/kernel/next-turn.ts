// Captured when the module is loaded: a test that fakes timers later must not hold up checkpoints.
const { setImmediate: immediate, MessageChannel: Channel, setTimeout: timeout } = globalThis;

/** Resolves in a later turn of the event loop, after timers and I/O had their chance; as soon as the platform allows. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof immediate === "function") immediate(resolve);
    else if (typeof Channel === "function") {
      const { port1, port2 } = new Channel();
      (port1 as { onmessage?: () => void }).onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    } else timeout(resolve, 0);
  });
}
