import { CancelScope, checkpoint, isCancellation, now, openNursery, shield, sleepForever } from "../../../../src/index.js";
import type { Call } from "../call.js";

/** That a scope was cancelled for the reason that was given first; unless somebody outside was sooner. */
function checkReason(call: Call, scope: CancelScope, outside: CancelScope, reasons: readonly unknown[]): void {
  const { reason } = scope.signal;
  if (outside.signal.aborted && reason === outside.signal.reason) return;
  call.check(reason?.kind === "cancel" && reasons.includes(reason.cause), () => `a scope was cancelled because of ${reason}`);
}

/** An abort listener that cancels, moves deadlines, and starts a task, all while the cancellation is under way. */
export async function cancelledByListener(call: Call, scope: CancelScope): Promise<void> {
  const [outer, inner, later] = [new CancelScope(), new CancelScope(), new CancelScope({ timeout: 1_000 })];
  const reasons = [Symbol("first"), Symbol("from the listener")];
  let ran = 0;
  await outer.run(
    () =>
      call.nursery(async (nursery, brood) => {
        inner.signal.addEventListener("abort", () => {
          outer.cancel(reasons[1]);
          later.deadline = now() + call.random.below(3);
          inner.cancel("again");
          nursery.startSoon(
            brood.task(async (task) => {
              ran++;
              await checkpoint(task);
              call.check(false, () => "a checkpoint in a cancelled nursery did not throw");
            }),
          );
        });
        nursery.startSoon(brood.task(() => later.run(() => sleepForever(later), nursery)));
        nursery.startSoon(brood.task(() => inner.run(() => sleepForever(call.at(inner)), nursery)));
        await call.work(nursery);
        inner.cancel(reasons[0]);
        await sleepForever(nursery);
      }, outer),
    scope,
  );
  checkReason(call, inner, scope, reasons);
  checkReason(call, outer, scope, reasons);
  call.check(ran === 1 || scope.signal.aborted, () => `the task that an abort listener started ran ${ran} times`);
}

/** The child cancels its parent, and its parent's parent. */
export async function cancelledInside(call: Call, scope: CancelScope): Promise<void> {
  const reason = Symbol("from inside");
  const outer = new CancelScope({ name: "outer" });
  await outer.run(async () => {
    await openNursery(async (nursery) => {
      nursery.startSoon(async (task) => {
        await call.work(task);
        call.random.pick([outer, nursery]).cancel(reason);
        call.check(task.signal.aborted, () => "cancel() has returned, and what is inside is not cancelled");
        await checkpoint(task);
        call.check(false, () => "a checkpoint did not throw in a cancelled scope");
      });
      try {
        await call.another(nursery);
        await sleepForever(nursery);
      } catch (error) {
        call.check(
          !nursery.signal.aborted || isCancellation(error, nursery) || !isCancellation(error),
          () => `it threw a strange ${error}`,
        );
        throw error;
      }
    }, outer);
  }, scope);
  call.check(!outer.cancelledCaught || outer.cancelCalled, () => "a scope caught a cancellation that was not its own");
}

/** Cleanups that cancel: their own scope, which is being left, and the one around it. */
export async function cancelledByCleanup(call: Call, scope: CancelScope): Promise<void> {
  const outer = new CancelScope();
  const inner = new CancelScope();
  let cleaned = 0;
  const ledger = call.app.ledger;
  await outer.run(async () => {
    await inner.run(async () => {
      for (let i = 0; i < 2; i++) {
        ledger.begin("cleanup");
        inner.defer(async (cleaning) => {
          cleaned++;
          ledger.end("cleanup");
          call.random.pick([inner, outer]).cancel("from a cleanup");
          // It is shielded: what is cancelled outside does not reach it.
          await call.work(cleaning, 1);
          await shield((deeper) => checkpoint(deeper), cleaning);
        });
      }
      await call.work(inner);
      if (call.random.chance(0.5)) inner.cancel("before");
      await call.work(inner);
    }, outer);
    call.check(cleaned === 2, () => `a scope was left, and ${cleaned} of 2 cleanups have run`);
    await checkpoint(outer);
  }, scope);
}
