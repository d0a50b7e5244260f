import { EventEmitter } from "node:events";
import {
  abandonOnCancel,
  Cancelled,
  type CancelScope,
  cancellable,
  fromCallback,
  fromEvent,
  scopeFromSignal,
  sleep,
  sleepForever,
  toPromise,
} from "../../../../src/index.js";
import type { Call } from "../call.js";

/** Signals that are not ours: the one that lives as long as the server, short ones, timeouts, and what derives from several. */
export async function foreignSignals(call: Call, scope: CancelScope): Promise<void> {
  const { shutdown } = call.app;
  const controller = new AbortController();
  const reason = new Error("gone");
  const timer = setTimeout(() => controller.abort(reason), call.random.between(1, 8));
  try {
    switch (call.random.below(4)) {
      case 0:
        await Promise.all([sleep(1, { signal: shutdown }), sleep(2, { signal: shutdown })]);
        return;
      case 1: {
        const error = await sleepForever({ signal: controller.signal }).catch((thrown) => thrown);
        call.check(error instanceof Cancelled, () => `a foreign signal was aborted, and the wait threw ${error}`);
        if (!scope.signal.aborted)
          call.check(error.kind === "signal" && error.cause === reason, () => `a foreign signal was aborted, and it threw ${error}`);
        scope.throwIfCancelled();
        return;
      }
      case 2: {
        const derived = AbortSignal.any([controller.signal, AbortSignal.timeout(call.random.between(1, 8))]);
        const from = scopeFromSignal(derived);
        const came = await from.run(() => sleepForever(call.at(from)).then(() => "came"), call.at(scope));
        call.check(came === undefined && from.cancelledCaught, () => "a scope of a signal that was aborted has not caught that");
        return;
      }
      default: {
        const from = scopeFromSignal(shutdown, { timeout: call.random.between(1, 6) });
        await from.run(() => call.another(from), scope);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Operations that know nothing of scopes: with an event, a callback, a signal of ours, or nothing at all that ends them. */
export async function bridged(call: Call, scope: CancelScope): Promise<void> {
  const ms = call.random.between(0, 5);
  switch (call.random.below(4)) {
    case 0: {
      const emitter = new EventEmitter();
      const timer = setTimeout(() => emitter.emit("ready", 1), ms);
      try {
        await fromEvent(emitter, "ready", undefined, call.at(scope));
      } finally {
        clearTimeout(timer);
        call.check(emitter.listenerCount("ready") + emitter.listenerCount("error") === 0, () => "a listener was left on an emitter");
      }
      return;
    }
    case 1:
      await fromCallback<void>(
        (done) => {
          const timer = setTimeout(() => done(null), ms);
          return () => clearTimeout(timer);
        },
        undefined,
        call.at(scope),
      );
      return;
    case 2: {
      let onStop: () => void = () => {};
      await cancellable(
        () =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, ms);
            onStop = () => {
              clearTimeout(timer);
              resolve();
            };
          }),
        { onCancel: () => onStop() },
        call.at(scope),
      );
      return;
    }
    default:
      await abandonOnCancel(new Promise<void>((resolve) => setTimeout(resolve, ms)), undefined, call.at(scope));
  }
}

/** Work for a caller who knows nothing but promises and signals. */
export async function promised(call: Call, scope: CancelScope): Promise<void> {
  const controller = new AbortController();
  const reason = new Error("the caller has gone");
  const timer = setTimeout(() => controller.abort(reason), call.random.between(1, 8));
  scope.signal.addEventListener("abort", () => controller.abort(reason), { once: true });
  try {
    await toPromise((nursery) => call.work(nursery, 8), { signal: controller.signal });
  } catch (error) {
    call.check(error === reason, () => `toPromise() rejected with ${error}, not with the signal's reason`);
  } finally {
    clearTimeout(timer);
  }
  scope.throwIfCancelled();
}
