import { describe, expect, test } from "vitest";
import {
  CapacityLimiter,
  checkpoint,
  DeadlockError,
  Event,
  Lock,
  moveOnAfter,
  now,
  openNursery,
  park,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  type Task,
} from "../../src/index.js";
import { rejectionAs } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";

const boom = new Error("boom");

describe("a deadlock is a DeadlockError", () => {
  const headline = "nothing can go on any more, and no time can pass that would change that:";

  test("that tells who waits on what, held by whom: of two locks taken in two orders", async () => {
    const stuck = simulate((nursery) => {
      const [a, b] = [new Lock(), new Lock()];
      const take = (first: Lock, second: Lock) => () => first.run(() => checkpoint().then(() => second.run(() => {})));
      nursery.startSoon(take(a, b), { name: "one" });
      nursery.startSoon(take(b, a), { name: "two" });
    });
    const error = await rejectionAs(DeadlockError, stuck);
    expect(error.message).toBe(
      `${headline}
  main waits: leave root, in which one and two go on
  root > one waits: acquire Lock, held by root > two
  root > two waits: acquire Lock, held by root > one`,
    );
    expect(error.waiting).toEqual([
      { task: "main", op: "leave", on: "root, in which one and two go on" },
      { task: "root > one", op: "acquire", on: "Lock", heldBy: "root > two" },
      { task: "root > two", op: "acquire", on: "Lock", heldBy: "root > one" },
    ]);
  });

  test("of tasks that join one another", async () => {
    const stuck = simulate((nursery) => {
      const tasks: Task[] = [];
      tasks.push(nursery.startSoon(() => tasks[1]?.join(), { name: "one" }));
      tasks.push(nursery.startSoon(() => tasks[0]?.join(), { name: "two" }));
    });
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(
      `${headline}
  main waits: leave root, in which one and two go on
  root > one waits: join Task two
  root > two waits: join Task one`,
    );
  });

  test("of an event that nobody sets", async () => {
    const stuck = simulate(() => new Event().wait());
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(`${headline}\n  main waits: wait Event`);
  });

  test("of a semaphore, and of a limiter, which knows who has borrowed", async () => {
    const stuck = simulate((nursery) => {
      const limiter = new CapacityLimiter(2);
      const semaphore = new Semaphore(0);
      for (const name of ["one", "two"]) nursery.startSoon(() => limiter.run(() => semaphore.acquire()), { name });
      nursery.startSoon(() => limiter.acquire(), { name: "three" });
    });
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(
      `${headline}
  main waits: leave root, in which one, two and three go on
  root > one waits: acquire Semaphore
  root > two waits: acquire Semaphore
  root > three waits: acquire CapacityLimiter, held by root > one, root > two`,
    );
  });

  test("of a wait of one's own, with what it says of itself", async () => {
    class Socket {
      readonly name = "eth0";
    }
    const stuck = simulate(() => park(() => {}, { op: "open", on: new Socket() }));
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(`${headline}\n  main waits: open Socket eth0`);
    const silent = simulate(() => park(() => {}));
    expect((await rejectionAs(DeadlockError, silent)).message).toBe(`${headline}\n  main waits: park`);
  });

  test("of a sleep without an end", async () => {
    const stuck = simulate(() => sleepForever());
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(`${headline}\n  main waits: sleep`);
  });

  test("of a task that starts, for a nursery without any", async () => {
    const stuck = simulate(async (outer) => {
      await openNursery(
        (nursery) => {
          outer.startSoon(() => nursery.start(() => sleepForever()), { name: "starter" });
        },
        { name: "crew" },
      );
    });
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(
      `${headline}
  main waits: leave root > crew, in which a start goes on
  root > starter waits: leave root > starter > start, in which task#1 goes on
  root > starter > start > task#1 waits: sleep`,
    );
  });

  test("in development mode also where each task was started", async () => {
    const stuck = simulate((nursery) => void nursery.startSoon(() => sleepForever()), { debug: true });
    expect((await rejectionAs(DeadlockError, stuck)).message).toMatch(/root > task#1 waits: sleep \(started .*deadlock\.test\.ts:\d+/);
  });

  test("never while a deadline is ahead that would end it", async () => {
    await simulate(async () => {
      await moveOnAfter(1e12, () => new Event().wait());
      expect(now()).toBe(1e12);
    });
  });

  test("after which everything is cancelled, so that it can clean up; whatever that comes to, the deadlock is told", async () => {
    const log: string[] = [];
    const stuck = simulate(async (nursery) => {
      nursery.startSoon(() => sleepForever().finally(() => log.push("cleaned up")));
      await new Event().wait().catch(() => shield(() => sleep(5)).then(() => log.push(`at ${now()}`)));
      throw boom;
    });
    const error = await rejectionAs(DeadlockError, stuck);
    expect(log).toEqual(["cleaned up", "at 5"]);
    expect(error.waiting).toHaveLength(2);
  });

  test("also behind a shield, where nothing can be cancelled: it is abandoned", async () => {
    const stuck = simulate(() => shield(() => new Event().wait()));
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(`${headline}\n  main waits: wait Event`);
  });

  test("found also in what goes on after the cancellation, without another report", async () => {
    const stuck = simulate(async () => {
      await new Event().wait().catch(() => {});
      await shield(() => new Semaphore(0).acquire());
    });
    expect((await rejectionAs(DeadlockError, stuck)).message).toBe(`${headline}\n  main waits: wait Event`);
  });
});
