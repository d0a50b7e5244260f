import { expect, test, vi } from "vitest";
import { ContextVariable, MissingScopeError, openNursery, run, sleep } from "../../src/index.js";
import { rejectionAs, thrownBy } from "./support.js";

// A platform without anything that follows a call through its awaits, as browsers are.
vi.mock("#context", () => import("../../src/kernel/context.none.js"));

const variable = new ContextVariable({ defaultValue: "default" });

test("a variable is found from the scope that is passed, also in a task that was moved", async () => {
  await run((root) =>
    variable.run(
      "value",
      async (scope) => {
        expect([variable.get(scope), variable.get(root)]).toEqual(["value", "default"]);
        await openNursery(async (nursery) => {
          const seen: string[] = [];
          await nursery.start<void>(
            async (task, started) => {
              seen.push(variable.get(task));
              started();
              await sleep(1, task);
              seen.push(variable.get(task));
            },
            { signal: root.signal },
          );
          await sleep(5, nursery);
          expect(seen).toEqual(["value", "value"]);
        }, scope);
      },
      root,
    ),
  );
});

test("without a scope it is a mistake to look for it, also if there is a default value, which would always be found", async () => {
  const error = thrownBy(() => variable.get());
  expect(error).toBeInstanceOf(MissingScopeError);
  expect((error as Error).message).toContain("This platform has nothing that follows a call through its awaits");
  await rejectionAs(
    MissingScopeError,
    variable.run("x", () => {}),
  );
});
