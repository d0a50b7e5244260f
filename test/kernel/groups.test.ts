import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, ErrorGroup, leaves, openNursery, run, shield, sleep, sleepForever } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf } from "./support.js";

const a = new Error("a");
const b = new Error("b");

/** A nursery of which each task fails with one of these. */
function failingWith(errors: readonly unknown[], options?: { errors?: "collapse" | "group" }): Promise<unknown> {
  return openNursery((nursery) => {
    for (const error of errors) nursery.startSoon(() => Promise.reject(error));
  }, options);
}

describe("EG1: one failure comes", () => {
  test("as the very error object, by default: unlike Trio, which always wraps", async () => {
    expect(await rejectionOf(simulate(() => failingWith([a])))).toBe(a);
  });

  test('as a group of one with errors: "group"', async () => {
    const group = await rejectionAs(
      ErrorGroup,
      simulate(() => failingWith([a], { errors: "group" })),
    );
    expect(group.errors).toEqual([a]);
    expect(group.message).toBe("1 error in root > nursery (Error: a)");
  });

  test("which is inherited from run(), and may be taken back by a nursery in it", async () => {
    const inherited = await rejectionAs(
      ErrorGroup,
      simulate(() => failingWith([a]), { errors: "group" }),
    );
    expect(inherited.errors[0]).toBeInstanceOf(ErrorGroup);
    const takenBack = await rejectionAs(
      ErrorGroup,
      simulate(() => failingWith([a], { errors: "collapse" }), { errors: "group" }),
    );
    expect(takenBack.errors).toEqual([a]);
  });

  test("which holds for nurseries, not for plain scopes", async () => {
    await simulate(
      async () => {
        const failing = new CancelScope().run(() => Promise.reject(a));
        expect(await rejectionOf(failing)).toBe(a);
      },
      { errors: "group" },
    );
  });
});

describe("EG2: nurseries in one another have groups in one another,", () => {
  test("with all failures in them, wherever they happened", async () => {
    const failing = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(() => failingWith([a, b]));
        nursery.startSoon(() => Promise.reject("c"));
      }),
    );
    const group = await rejectionAs(ErrorGroup, failing);
    expect(group.errors[0]).toBe("c");
    expect(group.errors[1].errors).toEqual([a, b]);
    expect(leaves(group)).toEqual(["c", a, b]);
  });

  test("R3: no error is lost, none is told twice, and no cancellation is in a group, whatever fails where", async () => {
    // A tree of nurseries: each has tasks that fail, with cleanups that fail, and nurseries that are tasks.
    interface Tree {
      readonly fails: readonly number[];
      readonly body: number | undefined;
      readonly inside: readonly Tree[];
    }
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.record({
        fails: fc.array(fc.nat({ max: 9 }), { maxLength: 3 }),
        body: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
        inside: fc.oneof({ depthSize: "small" }, fc.constant([]), fc.array(tie("tree"), { maxLength: 3 })),
      }),
    }));
    await fc.assert(
      fc.asyncProperty(tree, async (of) => {
        const thrown: Error[] = [];
        const failAt = (ms: number) =>
          shield(() => sleep(ms)).then(() => {
            const error = new Error(`${thrown.length}`);
            thrown.push(error);
            throw error;
          });
        const open = ({ fails, body, inside }: Tree): Promise<unknown> =>
          openNursery(async (nursery) => {
            for (const ms of fails) nursery.startSoon(() => failAt(ms));
            for (const each of inside) nursery.startSoon(() => open(each));
            nursery.startSoon(() => sleep(1));
            if (body !== undefined) await failAt(body);
          });
        const error = await simulate(() => open(of)).catch((caught) => caught);
        if (thrown.length === 0) expect(error).toBe(undefined);
        else expect(new Set(leaves(error))).toEqual(new Set(thrown));
        expect(leaves(error)).toHaveLength(Math.max(1, thrown.length));
      }),
    );
  });
});

describe("EG3: a group that leaves a cancelled scope", () => {
  test("takes no cancellation with it: failures win over the cancellation that they meet", async () => {
    const scope = new CancelScope();
    const failing = simulate(() =>
      scope.run(() =>
        openNursery(async (nursery) => {
          for (const error of [a, b]) nursery.startSoon(() => sleepForever().catch(() => Promise.reject(error)));
          nursery.startSoon(() => sleepForever());
          await sleep(1);
          scope.cancel();
          await checkpoint();
        }),
      ),
    );
    expect((await rejectionAs(ErrorGroup, failing)).errors).toEqual([a, b]);
    expect(scope.cancelledCaught).toBe(false);
  });

  test("with one error left is that error", async () => {
    const scope = new CancelScope();
    const failing = simulate(() =>
      scope.run(() =>
        openNursery(async (nursery) => {
          nursery.startSoon(() => sleepForever().catch(() => Promise.reject(a)));
          nursery.startSoon(() => sleepForever());
          await sleep(1);
          scope.cancel();
        }),
      ),
    );
    expect(await rejectionOf(failing)).toBe(a);
  });
});

test("EG6: what comes out of start() is the very object of the task, cause and all, also with groups", async () => {
  const error = new Error("x", { cause: b });
  await simulate(
    async (nursery) => {
      expect(await rejectionOf(nursery.start(() => Promise.reject(error)))).toBe(error);
      expect(error.cause).toBe(b);
    },
    { errors: "group" },
  );
});

describe("R3: the same error object counts once:", () => {
  test("thrown by several tasks", async () => {
    expect(await rejectionOf(simulate(() => failingWith([a, a, a])))).toBe(a);
  });

  test("thrown by a task, and thrown on by the body that has joined it", async () => {
    const failing = simulate(() =>
      openNursery(async (nursery) => {
        await nursery.startSoon(() => Promise.reject(a)).join();
      }),
    );
    expect(await rejectionOf(failing)).toBe(a);
  });

  test("among others, at its first place", async () => {
    expect(
      (
        await rejectionAs(
          ErrorGroup,
          simulate(() => failingWith([a, b, a])),
        )
      ).errors,
    ).toEqual([a, b]);
  });

  test("undefined, too, which is an error as any other (R15)", async () => {
    const outcome = await simulate(() => failingWith([undefined])).then(
      () => "resolved",
      (error) => ["rejected", error],
    );
    expect(outcome).toEqual(["rejected", undefined]);
    expect(
      (
        await rejectionAs(
          ErrorGroup,
          simulate(() => failingWith([undefined, a])),
        )
      ).errors,
    ).toEqual([undefined, a]);
  });
});

test("R15: whatever a task throws comes out as it is", async () => {
  // The same error counts once, and there 0 and -0 are the same.
  const anything = fc.anything().filter((value) => !Object.is(value, -0));
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      expect(Object.is(await rejectionOf(simulate(() => failingWith([value]))), value)).toBe(true);
    }),
  );
});

describe("R15: also a Proxy that was revoked, of which nothing can be asked,", () => {
  for (const isCancelled of [false, true]) {
    test(isCancelled ? "in a cancelled nursery" : "in a nursery", async () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      const failing = simulate(() =>
        openNursery((nursery) => {
          if (isCancelled) nursery.cancel();
          nursery.startSoon(() => {
            throw proxy;
          });
        }),
      );
      const isThrown = await failing.then(
        () => false,
        (error) => Object.is(error, proxy),
      );
      expect(isThrown).toBe(true);
    });
  }
});

test("a group says where it was: the path of its nursery", async () => {
  const failing = run(() => openNursery(() => failingWith([a, b]), { name: "crew" }));
  expect((await rejectionAs(ErrorGroup, failing)).message).toBe("2 errors in root > crew > nursery (Error: a; Error: b)");
});
