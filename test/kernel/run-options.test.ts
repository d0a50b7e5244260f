import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  currentScope,
  MissingScopeError,
  openNursery,
  type RunOptions,
  run,
  shield,
  sleep,
  UsageError,
} from "../../src/index.js";
import { rejectionAs, rejectionOf } from "./support.js";

describe("run({ ambient: false })", () => {
  test("has no ambient scope: it is passed", async () => {
    await run(
      async (nursery) => {
        expect(await rejectionOf(sleep(1))).toBeInstanceOf(MissingScopeError);
        await sleep(1, nursery);
        await openNursery(async (inner) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          inner.startSoon(async (task) => {
            expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
            await shield(async (own) => {
              expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
              await checkpoint(own);
            }, task);
          });
        }, nursery);
      },
      { ambient: false },
    );
  });

  test("inside another run hides that one's ambient scope, for its own duration", async () => {
    await run(async (outer) => {
      await run(
        async (inner) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          await checkpoint(inner);
        },
        { ambient: false },
      );
      expect(currentScope()).toBe(outer);
    });
  });

  test("leaves the other async contexts alone", async () => {
    const storage = new AsyncLocalStorage<string>();
    await storage.run("mine", () =>
      run(
        async (nursery) => {
          await sleep(1, nursery);
          expect(storage.getStore()).toBe("mine");
        },
        { ambient: false },
      ),
    );
  });

  test("is inherited by what is inside, however it is entered", async () => {
    await run(
      async (nursery) => {
        await nursery.start(async (task, started: (value: number) => void) => {
          expect(await rejectionOf(checkpoint())).toBeInstanceOf(MissingScopeError);
          started(1);
          await checkpoint(task);
        }, nursery);
      },
      { ambient: false },
    );
  });
});

describe("run({ debug })", () => {
  const made = async (options: RunOptions): Promise<string> => {
    const failing = run(async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      await sleep(1, scope);
    }, options);
    return (await rejectionAs(UsageError, failing)).message;
  };

  test("keeps where things are made, for the errors", async () => {
    expect(await made({ debug: true })).toMatch(/started .*run-options\.test\.ts/);
    expect(await made({ debug: false })).not.toContain("started ");
  });

  test("is on by default where CRECHE_DEBUG=1 is set", async () => {
    const { CRECHE_DEBUG: before } = process.env;
    try {
      process.env["CRECHE_DEBUG"] = "1";
      expect(await made({})).toMatch(/started .*run-options\.test\.ts/);
      expect(await made({ debug: false })).not.toContain("started ");
      process.env["CRECHE_DEBUG"] = "0";
      expect(await made({})).not.toContain("started ");
    } finally {
      if (before === undefined) delete process.env["CRECHE_DEBUG"];
      else process.env["CRECHE_DEBUG"] = before;
    }
  });
});

test("run(body, scope): the scope says where, and nothing else; the nursery has a name of its own", async () => {
  await run(() =>
    new CancelScope({ name: "outer" }).run((outer) =>
      run((nursery) => {
        expect([nursery.name, nursery._parent]).toEqual(["root", outer]);
      }, outer),
    ),
  );
});
