// Before setImmediate is there: they take what they find when they are loaded, and have to take what browsers have.
import "../../../src/kernel/next-turn.js";
import "../../../src/testing/engine/drain.js";

// What of Node's globals the helpers of the tests use.
type Handler = (error: unknown) => unknown;

const handlers = new Set<Handler>();
const relay = (event: PromiseRejectionEvent) => {
  if (handlers.size === 0) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const handler of handlers) handler(event.reason);
};
// Before that of the test runner, which takes what is unhandled for a failure.
globalThis.addEventListener("unhandledrejection", relay, { capture: true });

Object.assign(globalThis, {
  setImmediate: (callback: () => void) => setTimeout(callback, 0),
  process: {
    env: {},
    listeners: (name: string) => (name === "unhandledRejection" ? [...handlers] : []),
    removeAllListeners: () => handlers.clear(),
    on: (name: string, handler: Handler) => void (name === "unhandledRejection" && handlers.add(handler)),
    removeListener: (_name: string, handler: Handler) => void handlers.delete(handler),
    off: (_name: string, handler: Handler) => void handlers.delete(handler),
  },
});
