import {
  CancelScope,
  checkpoint,
  failAfter,
  isCancellation,
  moveOnAfter,
  now,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../../../src/index.js";
import { punctual } from "../../checks/punctual.js";
import type { Call } from "../call.js";

/** Deadlines within deadlines: the earliest holds, and each ends at its own boundary. */
export async function deadlines(call: Call, scope: CancelScope): Promise<void> {
  const [outer, inner] = [call.random.between(1, 12), call.random.between(1, 12)];
  const began = now();
  try {
    await failAfter(
      outer,
      async (around) => {
        const unwatch = punctual(around, around.deadline, call.app.ledger);
        try {
          const came = await moveOnAfter(inner, (within) => sleepForever(within), call.at(around));
          call.check(came === undefined, () => "sleepForever() came to an end");
          // So the inner one has passed, and the outer one may have: sleep a while, under that alone.
          await sleep(call.random.between(0, 6), call.at(around));
        } finally {
          unwatch();
        }
      },
      call.at(scope),
    );
  } catch (error) {
    // The boundary of the caller is told by its own error, not by ours.
    if (isCancellation(error, scope)) throw error;
    call.check(error instanceof TimeoutError, () => `a deadline threw ${error}`);
    call.check(now() >= began + outer, () => `a deadline of ${outer} ms was over after ${now() - began} ms`);
  }
}

/** A deadline that is moved: it holds as it was set last, neither early nor late. */
export async function movedDeadline(call: Call, scope: CancelScope): Promise<void> {
  const moving = new CancelScope({ timeout: call.random.between(1, 5) });
  await moving.run(async () => {
    await checkpoint(moving);
    // Where the first deadline has passed by now, there is nothing left to move.
    moving.throwIfCancelled();
    moving.deadline = now() + call.random.between(1, 8);
    const at = moving.deadline;
    const unwatch = punctual(moving, at, call.app.ledger);
    try {
      await sleepForever(call.at(moving));
    } finally {
      unwatch();
      const isOurs = moving.signal.reason?.kind === "deadline" && moving.cancelCalled;
      if (isOurs && scope.signal.aborted === false) call.check(now() >= at, () => `a moved deadline was ${at - now()} ms early`);
    }
  }, scope);
}
