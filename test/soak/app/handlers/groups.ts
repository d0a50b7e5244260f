import { all, allSettled, any, type CancelScope, collect, leaves, openNursery, shield, type Task } from "../../../../src/index.js";
import type { Brood } from "../../checks/brood.js";
import { isPlanned, PlannedFailure } from "../../checks/planned-failure.js";
import type { Call } from "../call.js";

/** Several tasks of which some fail, also while they are cleaned up: no error is lost, none is made up, and each comes once. */
export async function failuresTogether(call: Call, scope: CancelScope): Promise<void> {
  const thrown = new Set<unknown>();
  const mayFail = (share: number, instead?: PlannedFailure) => {
    if (!call.random.chance(share)) return;
    const failure = call.failure();
    // The language has the one that is thrown from a `finally` replace the other.
    thrown.delete(instead);
    thrown.add(failure);
    throw failure;
  };
  const fails = async (task: Task, brood: Brood) => {
    let failed: PlannedFailure | undefined;
    try {
      await call.work(task);
      brood.alive("a task goes on");
      mayFail(0.4);
    } catch (error) {
      if (error instanceof PlannedFailure) failed = error;
      throw error;
    } finally {
      await shield((inner) => call.work(inner, 1), task);
      mayFail(0.1, failed);
    }
  };
  try {
    await call.nursery(async (nursery, brood) => {
      for (let count = call.random.between(1, 4); count > 0; count--) nursery.startSoon(brood.task((task: Task) => fails(task, brood)));
    }, scope);
  } catch (error) {
    for (const failure of leaves(error).filter((leaf) => leaf instanceof PlannedFailure))
      call.check(thrown.delete(failure), () => "a nursery threw a failure that was not its own, or threw one twice");
    throw error;
  } finally {
    call.check(thrown.size === 0, () => `${thrown.size} failures were lost`);
  }
}

/** The combinators that wait for all, whose tasks are random handlers. */
export async function settledTogether(call: Call, scope: CancelScope): Promise<void> {
  const members = Array.from({ length: call.random.between(1, 3) }, () => (task: CancelScope) => call.another(task));
  switch (call.random.below(4)) {
    case 0:
      call.check((await all(members, call.at(scope))).length === members.length, () => "all() lost a result");
      return;
    case 1: {
      const settled = await allSettled(members, call.at(scope));
      for (const result of settled)
        if (result.status === "rejected") call.check(isPlanned(result.reason), () => `allSettled() holds ${result.reason}`);
      return;
    }
    case 2:
      await any(members, call.at(scope));
      return;
    default:
      await openNursery(
        async (nursery) => {
          for (const member of members) nursery.startSoon(member);
        },
        { signal: scope.signal, policy: collect(), errors: "group" },
      );
  }
}
