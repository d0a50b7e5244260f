import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, moveOnAfter, type Parked, park, shield, sleep } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { reasonOf, rejectionOf } from "./support.js";

const boom = new Error("boom");

/** A wait with its handle in reach. */
function parked<T>(onCancel?: () => unknown): { readonly handle: Parked<T>; readonly promise: Promise<T> } {
  let handle: Parked<T> | undefined;
  const promise = park<T>((own) => {
    handle = own;
    return onCancel;
  });
  return { handle: handle as Parked<T>, promise };
}

describe("wake() and fail()", () => {
  test("end the wait with a value, or with an error", async () => {
    await simulate(async () => {
      const one = parked<string>();
      expect(one.handle.wake("value")).toBe(true);
      expect(await one.promise).toBe("value");
      const two = parked();
      expect(two.handle.fail(boom)).toBe(true);
      expect(await rejectionOf(two.promise)).toBe(boom);
    });
  });

  test("the first one counts; every later one is told that it had no effect", async () => {
    await simulate(async () => {
      const one = parked<number>();
      expect([one.handle.wake(1), one.handle.wake(2), one.handle.fail(boom)]).toEqual([true, false, false]);
      expect(await one.promise).toBe(1);
      const two = parked<number>();
      expect([two.handle.fail(boom), two.handle.wake(1)]).toEqual([true, false]);
      expect(await rejectionOf(two.promise)).toBe(boom);
    });
  });

  test("may be called by the function that begins the wait, at once", async () => {
    await simulate(async () => {
      expect(await park<number>((own) => void own.wake(1))).toBe(1);
      expect(await rejectionOf(park((own) => void own.fail(boom)))).toBe(boom);
    });
  });

  test("then nothing has to be undone", async () => {
    let undone = false;
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const wait = park<void>((own) => {
          own.wake();
          return () => {
            undone = true;
          };
        });
        scope.cancel();
        await wait;
      });
    });
    expect(undone).toBe(false);
  });

  test("after a cancellation have no effect, and say so: nothing was delivered", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      let handle: Parked<string> | undefined;
      await scope.run(async () => {
        const one = parked<string>();
        handle = one.handle;
        scope.cancel();
        expect(one.handle.wake("late")).toBe(false);
        expect(await rejectionOf(one.promise)).toBe(reasonOf(scope));
      });
      expect(handle?.fail(boom)).toBe(false);
    });
  });

  test("any value may be thrown, undefined too", async () => {
    await simulate(async () => {
      const { handle, promise } = parked();
      handle.fail(undefined);
      expect(await rejectionOf(promise)).toBe(undefined);
    });
  });
});

describe("what undoes the wait", () => {
  test("is called once, synchronously, when the scope is cancelled, and park() throws the cancellation", async () => {
    await simulate(async () => {
      let undone = 0;
      const scope = new CancelScope();
      await scope.run(async () => {
        const { promise } = parked(() => {
          undone++;
        });
        scope.cancel();
        expect(undone).toBe(1);
        expect(await rejectionOf(promise)).toBe(reasonOf(scope));
      });
      expect(undone).toBe(1);
    });
  });

  test("is not called when the wait has ended before, by wake() or fail()", async () => {
    await simulate(async () => {
      let undone = false;
      const undo = () => {
        undone = true;
      };
      const scope = new CancelScope();
      await scope.run(async () => {
        const [one, two] = [parked(undo), parked(undo)];
        one.handle.wake(undefined);
        two.handle.fail(boom);
        two.promise.catch(() => {});
        await one.promise;
        scope.cancel();
      });
      expect(undone).toBe(false);
    });
  });

  test("of several waits of one scope is called for each, in order, and none of them can be woken meanwhile", async () => {
    await simulate(async () => {
      const log: string[] = [];
      const scope = new CancelScope();
      await scope.run(async () => {
        const one = parked<string>(() => {
          log.push("one");
          // It was taken out of reach together with the first one: nothing can be handed to it any more.
          log.push(`wakes two: ${two.handle.wake("x")}`);
        });
        const two = parked<string>(() => void log.push("two"));
        scope.cancel();
        await Promise.allSettled([one.promise, two.promise]);
      });
      expect(log).toEqual(["one", "wakes two: false", "two"]);
    });
  });

  test("may end the wait itself no more: it is over", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        let isWoken: boolean | undefined;
        const one = parked<string>(() => {
          isWoken = one.handle.wake("too late");
        });
        scope.cancel();
        expect(isWoken).toBe(false);
        expect(await rejectionOf(one.promise)).toBe(reasonOf(scope));
      });
    });
  });

  test("that throws has park() throw that instead", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      const failing = scope.run(async () => {
        const { promise } = parked(() => {
          throw boom;
        });
        scope.cancel();
        await promise;
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect(scope.cancelledCaught).toBe(false);
    });
  });

  test("that refuses lets the wait go on; the next checkpoint throws", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const { handle, promise } = parked<string>(() => false);
        scope.cancel();
        expect(handle.wake("value")).toBe(true);
        expect(await promise).toBe("value");
        expect(await rejectionOf(checkpoint())).toBe(reasonOf(scope));
      });
    });
  });

  test("that has refused is not asked again, by the end of its scope for example", async () => {
    await simulate(async (root) => {
      let asked = 0;
      const refusing = () => {
        asked++;
        return false;
      };
      const waiting = await new CancelScope().run((scope) => {
        const { handle, promise } = parked<string>(refusing);
        root.startSoon(() => sleep(5).then(() => handle.wake("value")));
        scope.cancel();
        return { promise };
      });
      expect([await waiting?.promise, asked]).toEqual(["value", 1]);
    });
  });

  test("only `false` refuses", async () => {
    await simulate(async () => {
      for (const answer of [undefined, null, 0, "", true]) {
        const scope = new CancelScope();
        await scope.run(async () => {
          const { handle } = parked(() => answer);
          scope.cancel();
          expect(handle.wake(undefined)).toBe(false);
        });
      }
    });
  });

  test("may cancel other scopes, and start other things", async () => {
    await simulate(async (nursery) => {
      const log: string[] = [];
      const [one, two] = [new CancelScope(), new CancelScope()];
      nursery.startSoon(() => two.run(() => sleep(1_000).finally(() => log.push("two"))));
      await checkpoint();
      await one.run(async () => {
        const { promise } = parked(() => {
          two.cancel();
          nursery.startSoon(() => void log.push("started"));
        });
        one.cancel();
        await promise;
      });
      await sleep(1);
      expect(log).toEqual(["two", "started"]);
    });
  });
});

describe("the function that begins the wait", () => {
  test("that throws has park() throw that, and nothing waits", async () => {
    await simulate(async () => {
      let handle: Parked<unknown> | undefined;
      const failing = park((own) => {
        handle = own;
        throw boom;
      });
      expect(await rejectionOf(failing)).toBe(boom);
      expect(handle?.wake(1)).toBe(false);
    });
  });

  test("is called at once", async () => {
    await simulate(() =>
      moveOnAfter(1, () => {
        let isCalled = false;
        const promise = park(() => {
          isCalled = true;
        });
        expect(isCalled).toBe(true);
        return promise;
      }),
    );
  });

  test("is not called in a cancelled scope", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        scope.cancel();
        let isCalled = false;
        const waiting = park(() => {
          isCalled = true;
        });
        expect(await rejectionOf(waiting)).toBe(reasonOf(scope));
        expect(isCalled).toBe(false);
      }),
    );
  });

  test("that cancels its own scope, and throws then, has park() throw that", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        const waiting = park(() => {
          scope.cancel();
          throw boom;
        });
        expect(await rejectionOf(waiting)).toBe(boom);
        scope.defer(() => {});
      }),
    );
  });

  test("may cancel its own scope: the wait is undone as soon as it has said how", async () => {
    await simulate(() =>
      new CancelScope().run(async (scope) => {
        let undone = false;
        const waiting = park(() => {
          scope.cancel();
          return () => {
            undone = true;
          };
        });
        expect(await rejectionOf(waiting)).toBe(reasonOf(scope));
        expect(undone).toBe(true);
      }),
    );
  });
});

test("park() waits in the scope that it is passed", async () => {
  await simulate(() =>
    new CancelScope().run((outer) =>
      shield(async () => {
        const waiting = park(() => {}, { op: "wait" }, outer);
        outer.cancel();
        expect(await rejectionOf(waiting)).toBe(reasonOf(outer));
      }),
    ),
  );
});
