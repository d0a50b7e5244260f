import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Cancellable,
  CancelScope,
  ContextVariable,
  checkpoint,
  currentScope,
  failAfter,
  MissingScopeError,
  Nursery,
  openNursery,
  run,
  shield,
  sleep,
  type Task,
  UsageError,
} from "../../src/index.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

const boom = new Error("boom");

describe("get()", () => {
  const variable = new ContextVariable({ name: "variable", defaultValue: "default" });

  test("finds the value of the innermost run() around, else the default value", async () => {
    await simulate(async () => {
      expect(variable.get()).toBe("default");
      await variable.run("outer", async () => {
        expect(variable.get()).toBe("outer");
        await variable.run("inner", async () => {
          await checkpoint();
          expect(variable.get()).toBe("inner");
        });
        expect(variable.get()).toBe("outer");
      });
      expect(variable.get()).toBe("default");
    });
  });

  test("keeps variables apart, of the same name too", async () => {
    const other = new ContextVariable({ name: "variable", defaultValue: "other default" });
    await simulate(() =>
      variable.run("one", () =>
        other.run("two", () => {
          expect([variable.get(), other.get()]).toEqual(["one", "two"]);
          return variable.run("three", () => expect([variable.get(), other.get()]).toEqual(["three", "two"]));
        }),
      ),
    );
  });

  test("finds any value that was set, undefined too, and not the default then", async () => {
    const nullable = new ContextVariable<string | undefined | null>({ defaultValue: "default" });
    await simulate(async () => {
      await nullable.run(undefined, () => expect(nullable.get()).toBe(undefined));
      await nullable.run(null, () => expect(nullable.get()).toBe(null));
    });
  });

  test("is undefined where nothing was set, if no default value was given", async () => {
    const bare = new ContextVariable<string>();
    await simulate(() => expect(bare.get()).toBe(undefined));
  });

  test("looks outwards through every kind of scope, shields and cleanups too", async () => {
    const seen: string[] = [];
    await simulate(() =>
      variable.run("value", () =>
        openNursery(async (nursery) => {
          nursery.defer(() => void seen.push(variable.get()));
          await failAfter(1_000, () => shield(() => new CancelScope().run(() => void seen.push(variable.get()))));
          nursery.startSoon(() => void seen.push(variable.get()));
          await using open = Nursery.open();
          open.startSoon(() => void seen.push(variable.get()));
          await open.join();
          await run(() => void seen.push(variable.get()));
        }),
      ),
    );
    expect(seen).toEqual(Array(5).fill("value"));
  });

  test("not out of a run that is detached", async () => {
    await simulate(() => variable.run("value", () => run(() => expect(variable.get()).toBe("default"), { detached: true })));
  });

  test("finds it in a scope that was cancelled, or has ended, as before", async () => {
    await simulate(async () => {
      const scope = new CancelScope();
      await variable.run("value", () =>
        scope.run(() => {
          scope.cancel();
          expect(variable.get()).toBe("value");
        }),
      );
      expect(variable.get(scope)).toBe("value");
    });
  });

  test("finds it in a scope that is passed, or its signal; that wins over the ambient one", async () => {
    await simulate(() =>
      variable.run("outer", (outer) =>
        variable.run("inner", () => {
          expect([variable.get(outer), variable.get({ signal: outer.signal }), variable.get({})]).toEqual(["outer", "outer", "inner"]);
        }),
      ),
    );
  });

  test("under a foreign signal it is that of the ambient scope", async () => {
    const { signal } = new AbortController();
    await simulate(() => variable.run("value", () => expect(variable.get({ signal })).toBe("value")));
    expect(variable.get({ signal })).toBe("default");
  });

  test("outside of any run is the default value; if there is none, a mistake, which says both remedies", () => {
    expect(variable.get()).toBe("default");
    const bare = new ContextVariable<string>({ name: "bare" });
    const error = thrownBy(() => bare.get());
    expect(error).toBeInstanceOf(MissingScopeError);
    expect((error as Error).message).toBe(
      "there is no scope here, so what this call starts would belong to nobody. Call it inside the body of run(), or pass a scope (or { signal }) as the last argument; after run(..., { ambient: false }) it is always passed.",
    );
  });

  test("a default value of undefined is one", () => {
    expect(new ContextVariable({ defaultValue: undefined }).get()).toBe(undefined);
  });

  test("of a scope that was not entered is a mistake", () => {
    expect(thrownBy(() => variable.get(new CancelScope()))).toBeInstanceOf(UsageError);
  });
});

describe("where scopes are passed as arguments", () => {
  const variable = new ContextVariable({ defaultValue: "default" });

  test("it is found from the scope that is passed", async () => {
    await run(
      (root) =>
        variable.run(
          "value",
          async (scope) => {
            expect(variable.get(scope)).toBe("value");
            expect(variable.get(root)).toBe("default");
            await openNursery((nursery) => {
              nursery.startSoon(async (task) => {
                await sleep(1, task);
                expect(variable.get(task)).toBe("value");
              });
            }, scope);
          },
          root,
        ),
      { ambient: false },
    );
  });

  test("run() without a scope is a mistake", async () => {
    await rejectionAs(
      MissingScopeError,
      variable.run("x", () => {}),
    );
  });
});

describe("run()", () => {
  const variable = new ContextVariable({ defaultValue: 0 });

  test("resolves to what its body returns, and throws what that throws", async () => {
    await simulate(async () => {
      expect(await variable.run(1, () => "value")).toBe("value");
      expect(await rejectionOf(variable.run(1, () => Promise.reject(boom)))).toBe(boom);
    });
  });

  test("is a scope: what nobody awaits in it ends with it, its cleanups run, it can be cancelled", async () => {
    await simulate(async () => {
      const log: string[] = [];
      await variable.run(1, (scope) => {
        scope.defer(() => log.push(`cleanup ${variable.get()}`));
        sleep(1_000).catch(() => log.push("floating one ended"));
      });
      await checkpoint();
      expect(log).toEqual(["cleanup 1", "floating one ended"]);
      const cancelled = variable.run(1, async (scope) => {
        scope.cancel();
        await checkpoint();
        return "value";
      });
      expect(await cancelled).toBe(undefined);
    });
  });

  test("begins its body at once, as any scope does, and is no checkpoint", async () => {
    await simulate(async () => {
      let isCalled = false;
      const running = variable.run(1, () => {
        isCalled = true;
      });
      expect(isCalled).toBe(true);
      await running;
    });
  });

  test("of what is no function, or is a promise, is a mistake", async () => {
    await simulate(async () => {
      const error = await rejectionAs(UsageError, variable.run(1, sleep(1) as unknown as () => void));
      expect(error.message).toMatch(/^variable\.run\(\) takes a function, and got a promise/);
    });
  });
});

describe("a task", () => {
  const variable = new ContextVariable({ defaultValue: "default" });

  test("has the values that hold around its nursery, whoever spawned it", async () => {
    await simulate(() =>
      variable.run("nursery", () =>
        openNursery(async (nursery) => {
          const seen: string[] = [];
          await variable.run("spawner", async () => {
            nursery.startSoon(() => void seen.push(variable.get()));
          });
          nursery.startSoon(() => variable.run("task", () => void nursery.startSoon(() => void seen.push(variable.get()))));
          await sleep(1);
          expect(seen).toEqual(["nursery", "nursery"]);
        }),
      ),
    );
  });

  test("takes its other async context from the code that spawned it, as ever", async () => {
    const storage = new AsyncLocalStorage<string>();
    await simulate(() =>
      openNursery(async (nursery) => {
        const task = storage.run("spawner", () => nursery.startSoon(() => [storage.getStore(), variable.get()]));
        expect(await task.join()).toEqual(["spawner", "default"]);
      }),
    );
  });

  test("keeps its values from its siblings, and from its nursery", async () => {
    await simulate(async () => {
      const seen: string[] = [];
      await openNursery(async (nursery) => {
        for (const name of ["a", "b", "c"]) {
          nursery.startSoon(() =>
            variable.run(name, async () => {
              await sleep(1);
              seen.push(`${name} sees ${variable.get()}`);
            }),
          );
        }
        await sleep(1);
        seen.push(`the nursery sees ${variable.get()}`);
      });
      expect(seen.sort()).toEqual(["a sees a", "b sees b", "c sees c", "the nursery sees default"]);
    });
  });

  test("that start() starts has the values of its nursery from the first, and the same when it moves there", async () => {
    await simulate(() =>
      variable.run("nursery", () =>
        openNursery(async (nursery) => {
          const seen: string[] = [];
          await variable.run("caller", () =>
            nursery.start<void>(async (task, started) => {
              const see = () => seen.push(variable.get(), variable.get(task), variable.get(currentScope()));
              await failAfter(5, async () => {
                await sleep(1);
                see();
              });
              started();
              see();
              await sleep(1);
              see();
            }),
          );
          await sleep(5);
          expect(seen).toEqual(Array(9).fill("nursery"));
        }),
      ),
    );
  });

  test("that start() starts, and that fails before, has them too", async () => {
    await simulate((nursery) =>
      variable.run("caller", async () => {
        const failing = nursery.start<void>(() => Promise.reject(new Error(variable.get())));
        expect(await rejectionOf(failing)).toMatchObject({ message: "default" });
      }),
    );
  });

  test("may be asked for its values after its end", async () => {
    await simulate(async () => {
      let task: Task | undefined;
      let inside: CancelScope | undefined;
      await variable.run("nursery", () =>
        openNursery((nursery) => {
          task = nursery.startSoon(() =>
            variable.run("task", (scope) => {
              inside = scope;
            }),
          );
        }),
      );
      expect([variable.get(task as Task), variable.get(inside as CancelScope)]).toEqual(["nursery", "task"]);
    });
  });
});

test("the name is told, and is a string", () => {
  const variable = new ContextVariable({ name: "requestId" });
  expect([variable.name, inspect(variable)]).toEqual(["requestId", "ContextVariable { name: 'requestId' }"]);
  expect(new ContextVariable().name).toBe("");
});

test("a lookup is no recursion: 100,000 scopes deep", async () => {
  const variable = new ContextVariable({ defaultValue: 0 });
  await run(
    (root) =>
      variable.run(
        1,
        async (outer) => {
          let scope: CancelScope = outer;
          const scopes: CancelScope[] = [];
          for (let i = 0; i < 100_000; i++) {
            const inner = new CancelScope();
            inner._enter(scope);
            scopes.push(inner);
            scope = inner;
          }
          expect(variable.get(scope)).toBe(1);
          for (const each of scopes.reverse()) each._end();
        },
        root,
      ),
    { ambient: false },
  );
});

/** A random tree of scopes, as a program: what each node does, and what is in it. */
interface Node {
  readonly kind: "set" | "scope" | "nursery" | "shield" | "spawn" | "start" | "far spawn";
  readonly variable: number;
  readonly value: number;
  readonly ms: number;
  readonly inside: readonly Node[];
}

function trees(depth: number): fc.Arbitrary<readonly Node[]> {
  if (depth === 0) return fc.constant([]);
  const node = fc.record({
    kind: fc.constantFrom<Node["kind"][]>("set", "set", "scope", "nursery", "shield", "spawn", "start", "far spawn"),
    variable: fc.nat({ max: 2 }),
    value: fc.nat(),
    ms: fc.nat({ max: 3 }),
    inside: trees(depth - 1),
  });
  return fc.array(node, { maxLength: 3 });
}

type Known = readonly (number | undefined)[];

/** Runs a tree, with the scope passed or ambient, and compares at each step what is found with what the text of the program says. */
async function interpret(
  nodes: readonly Node[],
  variables: readonly ContextVariable<number | undefined>[],
  where: { readonly scope: CancelScope; readonly nursery: Nursery; readonly far: Nursery; readonly passes: boolean },
  known: Known,
  /** What holds around the two nurseries that tasks are started in. */
  around: { readonly near: Known; readonly far: Known },
): Promise<void> {
  const { scope, nursery, far, passes } = where;
  const at = (own: CancelScope): Cancellable | undefined => (passes ? own : undefined);
  const check = () => expect(variables.map((each) => each.get(at(scope)))).toEqual(known);
  for (const { kind, variable, value, ms, inside } of nodes) {
    check();
    const goOn = (own: CancelScope, now: Known, more: Partial<typeof where> = {}, others = around) =>
      interpret(inside, variables, { ...where, ...more, scope: own }, now, others);
    switch (kind) {
      case "set": {
        const now = known.map((each, i) => (i === variable ? value : each));
        await variables[variable]?.run(value, (own) => goOn(own, now), at(scope));
        break;
      }
      case "scope":
        await new CancelScope().run((own) => goOn(own, known), at(scope));
        break;
      case "shield":
        await shield((own) => goOn(own, known), at(scope));
        break;
      case "nursery":
        await openNursery((own) => goOn(own, known, { nursery: own }, { ...around, near: known }), at(scope) ?? {});
        break;
      case "spawn":
        nursery.startSoon(async (own) => {
          await sleep(ms, at(own));
          await goOn(own, around.near);
        });
        break;
      case "far spawn":
        far.startSoon((own) => goOn(own, around.far, { nursery: far }, { near: around.far, far: around.far }));
        break;
      case "start":
        await far.start<void>(
          async (own, started) => {
            const now = { nursery: far };
            const both = { near: around.far, far: around.far };
            await goOn(own, around.far, now, both);
            started();
            await goOn(own, around.far, now, both);
          },
          { signal: passes ? scope.signal : undefined },
        );
        break;
    }
    check();
    await sleep(ms, at(scope));
    check();
  }
}

describe.each([
  ["ambient", false],
  ["passed", true],
] as const)("with scopes that are %s,", (_, passes) => {
  test("every lookup of a random program under a random schedule finds what the text of the program says", async () => {
    await fc.assert(
      fc.asyncProperty(trees(4), schedules(), async (program, schedule) => {
        const variables = [0, 1, 2].map(() => new ContextVariable<number>());
        const none: Known = [undefined, undefined, undefined];
        await simulate(
          (root) => interpret(program, variables, { scope: root, nursery: root, far: root, passes }, none, { near: none, far: none }),
          { pick: pickOf(schedule), ambient: !passes },
        );
      }),
      { numRuns: 200 },
    );
  });
});
