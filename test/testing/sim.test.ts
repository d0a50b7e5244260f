import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkpoint, failAfter, Lock, park, sleep } from "../../src/index.js";
import { Names } from "../../src/testing/engine/names.js";
import { Trace } from "../../src/testing/engine/trace.js";
import { watched } from "../../src/testing/engine/watched.js";
import { explore, ScheduleFailure, type Sim, simulate } from "../../src/testing/index.js";
import { rejectionAs, rejectionOf } from "../kernel/support.js";

const later = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms));

const read = () => readFile(fileURLToPath(import.meta.url));

const server = createServer((socket) => socket.end("answer"));
beforeAll(() => once(server.listen(0, "127.0.0.1"), "listening"));
afterAll(() => server.close());

/** Takes its time outside, and every Node tells so: of files 26 does not, and timers the test runner has as well. */
async function ask(): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}
/** A socket that has been closed may be listed for a while. */
const calm = { leaks: { handles: false } } as const;

describe("sim.external()", () => {
  test("waits for what goes on outside: no time passes, and no deadlock is seen", async () => {
    await simulate(async (sim) => {
      sim.root.startSoon(() => sleep(1000));
      expect(await sim.external(later(10, "answer"))).toBe("answer");
      expect(sim.now()).toBe(0);
      expect(await rejectionOf(sim.external(Promise.reject(new Error("boom"))))).toMatchObject({ message: "boom" });
    });
  });

  test("is told only when nothing else can go on, so that runs are the same", async () => {
    await simulate(async (sim) => {
      let steps = 0;
      sim.root.startSoon(async () => {
        for (; steps < 50; steps++) await checkpoint();
      });
      await sim.external(Promise.resolve());
      expect(steps).toBe(50);
    });
  });

  test("is cancelled as any wait, and refuses what is no promise", async () => {
    await simulate(async (sim) => {
      sim.root.startSoon(async (task) => {
        await sim.idle(task);
        sim.root.cancel();
      });
      expect(await rejectionOf(sim.external(new Promise(() => {})))).toMatchObject({ name: "AbortError" });
      throw new Error("reached");
    }).then(expect.unreachable, (error: ScheduleFailure) => expect(error.cause).toMatchObject({ message: "reached" }));
    await simulate((sim) => expect(() => sim.external(3 as never)).toThrow(TypeError));
  });
});

describe("a foreign await", () => {
  test("is part of its step: 30 schedules in which a file is read are those without", async () => {
    const body = (foreign: () => unknown) => async (sim: Sim) => {
      for (let who = 0; who < 2; who++) {
        sim.root.startSoon(async () => {
          await checkpoint();
          await foreign();
          await checkpoint();
        });
      }
    };
    const options = { strategy: { kind: "exhaustive" }, timeRaces: false, schedules: 30 } as const;
    const without = await explore(
      body(() => {}),
      options,
    );
    const report = await explore(body(read), options);
    expect({ ...report, ms: 0, externals: [] }).toEqual({ ...without, ms: 0 });
  });

  test("is one also where it is an operation that says so, beside another one of its task", async () => {
    await simulate(async (sim) => {
      const foreign = park<string>(
        (parked) => {
          void ask().then((answer) => parked.wake(answer));
        },
        { foreign: true },
      );
      let isLate = false;
      const beside = sleep(1000).then(() => {
        isLate = true;
      });
      expect(await foreign).toBe("answer");
      expect([isLate, sim.now()]).toEqual([false, 0]);
      await beside;
    }, calm);
  });

  test("that is over is awaited no more", async () => {
    const { externals } = await explore(
      async () => {
        await park<string>((parked) => void ask().then((answer) => parked.wake(answer)), { op: "ask", foreign: true });
        await sleep(1000);
        await checkpoint();
      },
      { ...calm, schedules: 1, checkDeterminism: false },
    );
    expect(externals.map(({ after }) => after)).toEqual(["ask"]);
  });

  test("of another task's promise lets that go on", async () => {
    await simulate(async (sim) => {
      let settle: (value: string) => void = () => {};
      const promise = new Promise<string>((resolve) => {
        settle = resolve;
      });
      sim.root.startSoon(async () => {
        await sleep(5);
        settle("raw");
      });
      expect(await promise).toBe("raw");
      expect(sim.now()).toBe(5);
    });
  });
});

describe("choices of the program", () => {
  test("are made by the schedule: every way is tried, and a failure is reduced towards the first", async () => {
    const seen = new Set<string>();
    await explore(async (sim) => void seen.add(`${sim.choose(2)}${sim.choose(3)}`), { strategy: { kind: "exhaustive" } });
    expect([...seen].sort()).toEqual(["00", "01", "02", "10", "11", "12"]);
    const body = async (sim: Sim) => {
      const [one, other] = [sim.choose(5), sim.choose(5, "replica")];
      if (other >= 2) throw new Error(`${one} ${other}`);
    };
    const failure = await rejectionAs(ScheduleFailure, explore(body, { strategy: { kind: "random" } }));
    expect((failure.cause as Error).message).toBe("0 2");
    expect(failure.timeline).toContain("replica: 2 of 5");
    await simulate((sim) => {
      expect([sim.choose(1), sim.choose(9), sim.fault()]).toEqual([0, 0, false]);
      expect(() => sim.choose(0)).toThrow(RangeError);
    });
  });

  test("have a fault once a run at most, at each place in some run", async () => {
    const seen = new Set<string>();
    await explore(async (sim) => void seen.add([sim.fault("a"), sim.fault("b"), sim.fault("c")].map(Number).join("")), {
      strategy: { kind: "exhaustive" },
    });
    expect([...seen].sort()).toEqual(["000", "001", "010", "100"]);
  });

  test("sim.random() is the same in each run, and another with another seed", async () => {
    const draw = (seed: number) => simulate((sim) => [sim.random(), sim.random()], { seed });
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(2)).not.toEqual(await draw(1));
  });
});

test("sim.waitGraph() says who waits on what, now", async () => {
  await simulate(async (sim) => {
    const lock = new Lock();
    const holding = sim.root.startSoon((task) => lock.run(() => failAfter(5, () => sleep(3)), task), { name: "holds" });
    sim.root.startSoon((task) => lock.run(() => {}, task), { name: "wants" });
    await sim.idle();
    expect(String(sim.waitGraph())).toContain("wants waits: acquire Lock, held by holds");
    await holding.join();
  });
});

test("sim.shared() tells what is read and written, also inside of plain values, and changes nothing", () => {
  const trace = new Trace(new Names());
  class Counter {
    #n = 0;
    add() {
      return ++this.#n;
    }
  }
  const fixed = Object.freeze({ list: [1] });
  const plain = { n: 1, list: [1, 2], deep: { x: 1 }, map: new Map([["a", 1]]), counter: new Counter(), fixed };
  const state = watched("s", plain, trace);
  const touched = (act: () => unknown) => {
    trace.notes.clear();
    act();
    const { reads, writes } = trace.currentNotes;
    return `${[...reads].join(" ")} | ${[...writes].join(" ")}`;
  };
  expect(touched(() => state.n)).toBe("s.n | ");
  expect(touched(() => (state.n += 1))).toBe("s.n | s.n");
  expect(touched(() => state.list.push(3))).toBe("s.list | s.list");
  expect(touched(() => (state.deep.x = 2))).toBe("s.deep | s.deep.x");
  expect(touched(() => state.map.set("b", 2))).toBe("s.map | s.map");
  expect(touched(() => state.counter.add())).toBe("s.counter | ");
  expect(touched(() => "n" in state)).toBe("s.n | ");
  expect(touched(() => Reflect.deleteProperty(state, "n"))).toBe(" | s.n");
  expect(touched(() => JSON.stringify(state)).startsWith("s")).toBe(true);
  expect(state.deep).toBe(state.deep);
  expect(state.fixed.list[0]).toBe(1);
  expect(plain).toMatchObject({ list: [1, 2, 3], deep: { x: 2 } });
});
