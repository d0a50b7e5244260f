import { CancelScope, checkpoint, Nursery, openNursery, shield, sleepForever } from "../../../../src/index.js";
import type { Call } from "../call.js";
import { DisposableValue } from "../disposable-value.js";

/** Resources of a scope: all are cleaned up, the last one first, whatever ends the scope, and a cancellation does not cut that off. */
export async function disposals(call: Call, scope: CancelScope): Promise<void> {
  const { ledger } = call.app;
  const own = new CancelScope({ timeout: call.random.between(1, 10) });
  const order: number[] = [];
  const count = call.random.between(1, 4);
  try {
    await own.run(async () => {
      for (let i = 0; i < count; i++) {
        own.use(new DisposableValue(ledger));
        ledger.begin("cleanup");
        own.defer(async (cleaning) => {
          await call.work(cleaning, 1);
          order.push(i);
          ledger.end("cleanup");
        });
        await call.mayFail(own, 0.1);
      }
      try {
        await call.another(own);
      } finally {
        await shield((inner) => call.work(inner, 1), own);
      }
    }, scope);
  } finally {
    call.check(
      order.every((n, i) => i === 0 || n === (order[i - 1] as number) - 1) && (order.length === 0 || order.at(-1) === 0),
      () => `cleanups ran in the order ${order}`,
    );
  }
}

/** Values that can be disposed, of tasks that nobody joins, or only some: in a nursery that is cancelled they are disposed, in one that is not they are ours. */
export async function undeliveredValues(call: Call, scope: CancelScope): Promise<void> {
  const make = async (task: CancelScope) => {
    await checkpoint(task);
    return new DisposableValue(call.app.ledger);
  };
  if (call.random.chance(0.5)) {
    await openNursery(
      async (nursery) => {
        const tasks = [nursery.startSoon(make), nursery.startSoon(make)] as const;
        const value = await tasks[0].join(nursery);
        nursery.defer(() => value[Symbol.asyncDispose]());
        await call.work(nursery);
        nursery.cancel();
        await sleepForever(nursery);
      },
      { signal: scope.signal },
    );
    return;
  }
  await using nursery = Nursery.open({ signal: scope.signal });
  nursery.startSoon((task) => call.mayFail(task));
  nursery.startSoon((task) => call.another(task));
  if (call.random.chance(0.8)) await nursery.join();
}
