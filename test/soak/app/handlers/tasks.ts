import { type CancelScope, ContextVariable, every, sleepForever, TaskCancelledError } from "../../../../src/index.js";
import type { Call } from "../call.js";

const caller = new ContextVariable<string>({ name: "caller", defaultValue: "nobody" });

/** Tasks that say when they are ready, or fail before. Until then they are the caller's, afterwards the nursery's. */
export async function startedTasks(call: Call, scope: CancelScope): Promise<void> {
  await call.nursery(async (nursery, brood) => {
    const value = await nursery.start(
      brood.task(async (task: CancelScope, started: (value: number) => void) => {
        await call.mayFail(task, 0.2);
        started(7);
        brood.alive("a started task goes on");
        await call.work(task);
      }),
      { signal: scope.signal },
    );
    call.check(value === 7, () => `start() brought ${value}`);
    const victim = nursery.startSoon(brood.task((task: CancelScope) => sleepForever(task)));
    await call.work(nursery);
    victim.cancel();
    const error = await victim.join(nursery).catch((thrown) => thrown);
    if (!nursery.signal.aborted)
      call.check(error instanceof TaskCancelledError, () => `joining a task that was cancelled by itself threw ${error}`);
  }, scope);
}

/** Tasks that go on as long as there is anything else, and not longer; and a variable that each looks up where it was bound. */
export async function backgroundWork(call: Call, scope: CancelScope): Promise<void> {
  let ticks = 0;
  await caller.run(
    call.name,
    (bound) =>
      call.nursery(async (nursery, brood) => {
        nursery.startSoon(
          brood.task((task: CancelScope) => every(1, () => void ticks++, undefined, task)),
          { background: true },
        );
        nursery.startSoon(
          brood.task(async (task: CancelScope) => {
            await call.work(task);
            call.check(caller.get(task) === call.name, () => `a context variable is ${caller.get(task)}`);
          }),
        );
        await call.work(nursery);
      }, bound),
    scope,
  );
  const before = ticks;
  await call.work(scope, 3);
  call.check(ticks === before, () => "a background task went on after its nursery");
}
