import { Cancelled, type CancelScope, failAfter, leaves, now, TimeoutError } from "../../../src/index.js";
import { isPlanned } from "../checks/planned-failure.js";
import { punctual } from "../checks/punctual.js";
import type { Application } from "./application.js";
import { Call } from "./call.js";
import type { Answer, Request } from "./connection.js";
import { handlers } from "./handlers/handlers.js";

/** Does what a request asks for, in the time that it gives. Cancelled from outside, it lets that pass; all else is an answer. */
export async function answer(app: Application, request: Request, scope: CancelScope): Promise<void> {
  const { ledger } = app;
  const { what, timeout, random } = request.script;
  ledger.begin("request");
  ledger.accepted++;
  app.follow(request);
  ledger.trace.add(`${request.name} begins: ${what}, ${timeout} ms`);
  let end: Answer = "cancelled";
  try {
    end = await handle(app, request, scope);
    if (end === "cancelled") scope.throwIfCancelled();
  } finally {
    ledger.trace.add(`${request.name} ends: ${end}`);
    ledger.note(what, end);
    ledger.end("request");
    request.reply(end);
  }

  async function handle(app: Application, { name }: Request, scope: CancelScope): Promise<Answer> {
    const began = now();
    const call = new Call(app, random, name);
    try {
      await failAfter(
        timeout,
        async (inner) => {
          app.follow(inner);
          const unwatch = punctual(inner, inner.deadline, ledger);
          try {
            await handlers[what](call, inner);
          } finally {
            unwatch();
          }
        },
        call.at(scope),
      );
      return "done";
    } catch (error) {
      call.check(isPlanned(error), () => `it ended with ${leaves(error).map(described).join("; ")}`);
      if (error instanceof Cancelled) {
        // It may be the object of a cancellation inside, the deadline's for example: what passes is up to what is visible, and that is ours.
        call.check(scope.signal.aborted, () => `it threw a cancellation, and its scope is not cancelled: ${error}`);
        return "cancelled";
      }
      if (!(error instanceof TimeoutError)) return "failed";
      return now() >= began + timeout ? "too late" : "failed";
    }
  }
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
