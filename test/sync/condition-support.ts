import { expect } from "vitest";
import { CancelScope, type Condition, currentTask, type Nursery, now, shield, sleep } from "../../src/index.js";

export type Log = (string | number)[][];

/** Starts a task that waits, and logs when it has the lock again; it holds it for 10 ms. */
export function waiting(nursery: Nursery, condition: Condition, name: string, log: Log): CancelScope {
  const scope = new CancelScope();
  nursery.startSoon(
    () =>
      scope.run(() =>
        condition.run(async () => {
          try {
            await condition.wait();
            log.push([name, now()]);
          } catch (error) {
            log.push([name, now(), error === scope.signal.reason ? "cancelled" : String(error)]);
            throw error;
          } finally {
            expect(condition.statistics().lockStatistics.owner).toBe(currentTask());
            await shield(() => sleep(10));
          }
        }),
      ),
    { name },
  );
  return scope;
}
