import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  ErrorGroup,
  firstSuccess,
  type JoinPolicy,
  type Nursery,
  openNursery,
  type SettledTask,
  shield,
  sleep,
  TaskCancelledError,
  until,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf } from "./support.js";

interface Connection extends AsyncDisposable {
  readonly name: string;
}

const boom = new Error("boom");

/** What notes that it is disposed. */
function connectionsOf(log: string[]): (name: string) => Connection {
  return (name) => ({
    name,
    [Symbol.asyncDispose]: async () => {
      await checkpoint();
      log.push(`${name} closed`);
    },
  });
}

/** Comes in spite of everything. */
function stubborn<T>(ms: number, value: T): () => Promise<T> {
  return () => shield(() => sleep(ms).then(() => value));
}

describe("firstSuccess()", () => {
  test("the values of losers are disposed, the last first, before the cleanups; the winner's is not", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    await simulate(async () => {
      const won = await openNursery(
        (nursery) => {
          nursery.defer(() => log.push("cleanup"));
          nursery.startSoon(stubborn(2, connection("two")));
          nursery.startSoon(stubborn(1, connection("one")));
          nursery.startSoon(stubborn(3, connection("three")));
        },
        { policy: firstSuccess<Connection>() },
      );
      expect(won.name).toBe("one");
    });
    expect(log).toEqual(["three closed", "two closed", "cleanup"]);
  });

  test("a loser that has the winner's very value does not close it", async () => {
    const log: string[] = [];
    const shared = connectionsOf(log)("shared");
    await simulate(async () => {
      const won = await openNursery(
        (nursery) => {
          nursery.startSoon(stubborn(1, shared));
          nursery.startSoon(stubborn(2, shared));
        },
        { policy: firstSuccess<Connection>() },
      );
      expect(won).toBe(shared);
    });
    expect(log).toEqual([]);
  });

  test("a loser that somebody joined is that one's to close", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    await simulate(async () => {
      await openNursery(
        (nursery) => {
          nursery.startSoon(stubborn(1, connection("one")));
          const two = nursery.startSoon(stubborn(2, connection("two")));
          nursery.startSoon(() => shield(() => two.join().then(() => {})), { background: true });
        },
        { policy: firstSuccess<Connection>() },
      );
    });
    expect(log).toEqual([]);
  });

  test("if the nursery throws after all, the winner's value is disposed as well: a cleanup fails, or the body, or it is cancelled from outside", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    const policy = () => ({ policy: firstSuccess<Connection>() });
    await simulate(async () => {
      const cleanup = openNursery((nursery) => {
        nursery.defer(() => Promise.reject(boom));
        nursery.startSoon(stubborn(1, connection("of the failing cleanup")));
      }, policy());
      expect(await rejectionOf(cleanup)).toBe(boom);
      const body = openNursery(async (nursery) => {
        nursery.startSoon(stubborn(1, connection("of the failing body")));
        throw boom;
      }, policy());
      expect(await rejectionOf(body)).toBe(boom);
      await new CancelScope().run((scope) =>
        openNursery(async (nursery) => {
          nursery.startSoon(stubborn(1, connection("of the cancelled one")));
          scope.cancel();
          await sleep(5);
        }, policy()),
      );
    });
    expect(log).toEqual(["of the failing cleanup closed", "of the failing body closed", "of the cancelled one closed"]);
  });

  test("if several cleanups fail, it is disposed once, and all that failed is told", async () => {
    const log: string[] = [];
    const bang = new Error("bang");
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.defer(() => Promise.reject(bang));
          nursery.defer(() => Promise.reject(boom));
          nursery.startSoon(() => connectionsOf(log)("won"));
        },
        { policy: firstSuccess<Connection>() },
      );
      expect((await rejectionAs(ErrorGroup, failing)).errors).toEqual([boom, bang]);
    });
    expect(log).toEqual(["won closed"]);
  });

  test("a value that was joined in a cleanup, after the result, is not disposed when a later one fails", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          const task = nursery.startSoon(() => connectionsOf(log)("won"));
          nursery.defer(() => Promise.reject(boom));
          nursery.defer(() => task.join());
        },
        { policy: firstSuccess<Connection>() },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual([]);
  });
});

describe("until()", () => {
  test("hands on all values, also those that came after it had enough", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    await simulate(async () => {
      const settled = await openNursery(
        (nursery) => {
          nursery.startSoon(stubborn(1, connection("one")));
          nursery.startSoon(stubborn(2, connection("two")));
        },
        { policy: until<Connection>(() => true) },
      );
      expect(settled.map(({ outcome }) => outcome.state === "done" && outcome.value.name)).toEqual(["one", "two"]);
    });
    expect(log).toEqual([]);
  });

  test("the value of a background task is not among them, and is disposed, because the nursery was cancelled", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    const policy = () => ({ policy: until<Connection>(() => true) });
    await simulate(async () => {
      await openNursery((nursery) => {
        nursery.startSoon(stubborn(1, connection("task")));
        nursery.startSoon(stubborn(2, connection("background")), { background: true });
      }, policy());
    });
    expect(log).toEqual(["background closed"]);
  });

  test("the values of tasks that it has called off, and that it therefore has not, do not exist", async () => {
    await simulate(async () => {
      let kept: SettledTask<Connection> | undefined;
      await openNursery(
        (nursery) => {
          nursery.startSoon(() => "x" as unknown as Connection);
          nursery.startSoon(() => sleep(1).then(() => connectionsOf([])("late")));
        },
        {
          policy: until<Connection>((task) => {
            kept = task;
            return true;
          }),
        },
      );
      expect(kept?.outcome).toEqual({ state: "done", value: "x" });
    });
  });
});

describe("a policy of one's own", () => {
  /** The best by name; the others are dropped. Nothing is cancelled. */
  function best(): JoinPolicy<Connection, Connection | undefined> {
    let winner: SettledTask<Connection> | undefined;
    const nameOf = (task: SettledTask<Connection> | undefined) => (task?.outcome.state === "done" ? task.outcome.value.name : "");
    return {
      onSettled(task) {
        if (nameOf(task) > nameOf(winner)) winner = task;
        return "continue";
      },
      result: () => (winner?.outcome.state === "done" ? winner.outcome.value : undefined),
      keeps: (task) => task === winner,
    };
  }

  test("what it does not keep is disposed, also if nothing was cancelled", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    await simulate(async () => {
      const won = await openNursery(
        (nursery) => {
          for (const name of ["a", "c", "b"]) nursery.startSoon(() => connection(name));
        },
        { policy: best() },
      );
      expect(won?.name).toBe("c");
    });
    expect(log).toEqual(["b closed", "a closed"]);
  });

  test("is asked what it keeps after its result, and only of what can be disposed", async () => {
    const asked: string[] = [];
    await simulate(() =>
      openNursery(
        (nursery: Pick<Nursery, "startSoon">) => {
          nursery.startSoon(() => connectionsOf([])("x"), { name: "disposable" });
          nursery.startSoon(() => "value", { name: "plain" });
        },
        {
          policy: {
            onSettled: () => "continue",
            result: () => void asked.push("result"),
            keeps: (task) => {
              asked.push(task.name);
              return true;
            },
          },
        },
      ),
    );
    expect(asked).toEqual(["result", "disposable"]);
  });

  test("that throws when it is asked has everything disposed", async () => {
    const log: string[] = [];
    const connection = connectionsOf(log);
    await simulate(async () => {
      const failing = openNursery(
        (nursery: Pick<Nursery, "startSoon">) => {
          for (const name of ["a", "b", "c"]) nursery.startSoon(() => connection(name), { name });
        },
        {
          policy: {
            onSettled: () => "continue",
            result: () => "result",
            keeps: ({ name }) => {
              if (name === "b") throw boom;
              return true;
            },
          },
        },
      );
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log.sort()).toEqual(["a closed", "b closed", "c closed"]);
  });

  test("that throws its result has everything disposed", async () => {
    const log: string[] = [];
    await simulate(async () => {
      const failing = openNursery((nursery: Pick<Nursery, "startSoon">) => void nursery.startSoon(() => connectionsOf(log)("x")), {
        policy: {
          onSettled: () => "continue",
          result: () => {
            throw boom;
          },
        },
      });
      expect(await rejectionOf(failing)).toBe(boom);
    });
    expect(log).toEqual(["x closed"]);
  });

  test("what was disposed cannot be joined any more", async () => {
    await simulate(async () => {
      const policy = best();
      const tasks: SettledTask<Connection>[] = [];
      await openNursery(
        (nursery) => {
          for (const name of ["a", "b"]) tasks.push(nursery.startSoon(() => connectionsOf([])(name)) as SettledTask<Connection>);
        },
        { policy },
      );
      await rejectionAs(TaskCancelledError, (tasks[0] as SettledTask).join());
      expect((await (tasks[1] as SettledTask<Connection>).join()).name).toBe("b");
    });
  });
});
