import { expect, test } from "vitest";
import { CancelScope, moveOnAfter, openNursery, run, sleep, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { watchProcess } from "./r12-process-watch.js";

const RUNTIMES = { "in production": run, "in simulated time": simulate };

test.each(
  Object.entries(RUNTIMES),
)("%s an abort listener that throws is reported to the process, and the rest is still cancelled", async (_, run) => {
  const broken = [new Error("first"), new Error("second")];
  const heard: string[] = [];
  const { value, unhandled, uncaught } = await watchProcess(() =>
    run(async (nursery) => {
      const scopes = ["a", "b", "c"].map(() => new CancelScope());
      const tasks = scopes.map((scope) => nursery.startSoon(() => scope.run(() => sleepForever())));
      await sleep(1);
      scopes.forEach((scope, i) => {
        scope.signal.addEventListener("abort", () => {
          heard.push(`before ${i}`);
        });
        scope.signal.addEventListener("abort", () => {
          if (broken[i] !== undefined) throw broken[i];
        });
        scope.signal.addEventListener("abort", () => {
          heard.push(`after ${i}`);
        });
      });
      const outer = nursery.startSoon(() => sleepForever());
      nursery.cancel();
      heard.push("cancel() has returned");
      return { tasks, scopes, outer };
    }).catch((error: unknown) => error),
  );
  expect(value).not.toBeInstanceOf(Error);
  expect(heard).toEqual(["before 0", "after 0", "before 1", "after 1", "before 2", "after 2", "cancel() has returned"]);
  expect(uncaught).toEqual(broken);
  expect(unhandled).toEqual([]);
});

test("one that throws when a deadline fires does not keep other timers from firing", async () => {
  const broken = new Error("broken");
  const { value, uncaught } = await watchProcess(() =>
    run(async () => {
      const ended: string[] = [];
      await openNursery(async (nursery) => {
        nursery.startSoon(() =>
          moveOnAfter(5, async (scope) => {
            scope.signal.onabort = () => {
              throw broken;
            };
            await sleepForever();
          }).then(() => ended.push("first")),
        );
        nursery.startSoon(() => moveOnAfter(5, () => sleepForever()).then(() => ended.push("second")));
        nursery.startSoon(() => sleep(6).then(() => ended.push("sleeper")));
      });
      return ended;
    }),
  );
  expect(value.sort()).toEqual(["first", "second", "sleeper"]);
  expect(uncaught).toEqual([broken]);
});
