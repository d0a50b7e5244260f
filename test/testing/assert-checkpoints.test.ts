import { describe, expect, test } from "vitest";
import { Cancelled, CancelScope, checkpoint, Event, Lock, moveOnAfter, openMemoryChannel, run, sleep } from "../../src/index.js";
import { AssertionError, assertCheckpoints, assertNoCheckpoints, simulate } from "../../src/testing/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";

const boom = new Error("boom");

describe("assertCheckpoints()", () => {
  test("passes what the body comes to, if it was a checkpoint", async () => {
    expect(await run(() => assertCheckpoints(() => checkpoint().then(() => "value")))).toBe("value");
    const failing = run(() => assertCheckpoints(() => checkpoint().then(() => Promise.reject(boom))));
    expect(await rejectionOf(failing)).toBe(boom);
  });

  test("works in a test without a scope, and hands one to the body", async () => {
    await assertCheckpoints(() => sleep(1));
    await assertCheckpoints((scope) => sleep(1, scope));
    await run((root) => assertCheckpoints((scope) => sleep(1, scope), root), { ambient: false });
  });

  test("works in virtual time, where the clock goes on as before", async () => {
    await simulate(async (sim) => {
      await assertCheckpoints(() => sleep(1e6));
      expect(sim.now()).toBe(1e6);
      await assertNoCheckpoints(() => sim.now());
    });
  });

  test("complains of a body that waits for nothing, or for promises only", async () => {
    const message =
      "there was no checkpoint: the body neither looked whether it is cancelled nor let others run. Where there is nothing to wait for: await checkpoint()";
    for (const body of [() => 3, async () => {}, () => new Promise((resolve) => setTimeout(resolve, 1))]) {
      expect((await rejectionAs(AssertionError, assertCheckpoints(body))).message).toBe(message);
    }
  });

  test("complains of half a checkpoint", async () => {
    const looked = await rejectionAs(
      AssertionError,
      assertCheckpoints((scope) => scope.throwIfCancelled()),
    );
    expect(looked.message).toBe(
      "there was no checkpoint: the body looked whether it is cancelled, but let nobody else run. Where there is nothing to wait for: await checkpoint()",
    );
  });

  test("complains of a failure on the way to which there was none, and keeps it", async () => {
    const error = await rejectionAs(
      AssertionError,
      assertCheckpoints(() => Promise.reject(boom)),
    );
    expect(error.cause).toBe(boom);
    expect(error.name).toBe("AssertionError");
  });

  test("passes a cancellation as it is", async () => {
    await run(async () => {
      expect(await moveOnAfter(1, () => assertCheckpoints(() => new Event().wait()))).toBeUndefined();
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        expect(await rejectionOf(assertCheckpoints(() => checkpoint()))).toBeInstanceOf(Cancelled);
        expect(await rejectionOf(assertNoCheckpoints(() => checkpoint()))).toBeInstanceOf(Cancelled);
      });
    });
  });

  test("counts what the body does, and nothing of what others do meanwhile", async () => {
    await run(async (nursery) => {
      const event = new Event();
      nursery.startSoon(async () => {
        for (let i = 0; i < 3; i++) await sleep(1);
        event.set();
      });
      const raw = new Promise<void>((resolve) => nursery.startSoon(() => event.wait().then(resolve)));
      const checking = assertCheckpoints(() => raw);
      await assertNoCheckpoints(() => raw);
      expect((await rejectionAs(AssertionError, checking)).message).toMatch(/neither looked .* nor let others run/);
    });
  });

  test("counts in scopes and tasks inside, and where several count at once", async () => {
    await run(async () => {
      const both = [assertCheckpoints(() => moveOnAfter(50, () => sleep(3))), assertCheckpoints(() => assertCheckpoints(() => sleep(1)))];
      const none = assertNoCheckpoints(() => new Promise((resolve) => setTimeout(resolve, 5)));
      await Promise.all([...both, none]);
    });
  });

  test("leaves the task who it is: what it holds it can give back", async () => {
    await run(async () => {
      const lock = new Lock();
      await assertCheckpoints(() => lock.acquire());
      await assertNoCheckpoints(() => lock.release());
    });
  });

  test("takes a function", async () => {
    const message = "assertCheckpoints() takes a function, not 3";
    expect(await rejectionOf(assertCheckpoints(3 as never))).toMatchObject({ name: "UsageError", message });
  });
});

describe("assertNoCheckpoints()", () => {
  test("passes what the body comes to, if it had none", async () => {
    const [send] = openMemoryChannel<number>(1);
    expect(await assertNoCheckpoints(() => send.sendNowait(1))).toBeUndefined();
    expect(await rejectionOf(assertNoCheckpoints(() => Promise.reject(boom)))).toBe(boom);
  });

  test("names the operations", async () => {
    const advice = "What must happen at once uses plain functions, and the forms that never wait: acquireNowait(), sendNowait()";
    const error = await rejectionAs(
      AssertionError,
      assertNoCheckpoints(async () => {
        await new Lock().run(() => sleep(0));
        throw boom;
      }),
    );
    expect(error.message).toBe(`there was a checkpoint: others could run at 2 of them: acquire Lock, checkpoint. ${advice}`);
    expect(error.cause).toBe(boom);
    const long = async () => {
      for (let i = 0; i < 7; i++) await checkpoint();
    };
    expect((await rejectionAs(AssertionError, assertNoCheckpoints(long))).message).toBe(
      `there was a checkpoint: others could run at 7 of them: ${"checkpoint, ".repeat(5)}…. ${advice}`,
    );
    const look = await rejectionAs(
      AssertionError,
      assertNoCheckpoints((scope) => scope.throwIfCancelled()),
    );
    expect(look.message).toBe(`there was a checkpoint: it looked whether it is cancelled. ${advice}`);
  });
});
