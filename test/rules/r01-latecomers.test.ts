import { describe, expect, test } from "vitest";
import {
  CancelScope,
  checkpoint,
  type Nursery,
  NurseryClosedError,
  openNursery,
  park,
  run,
  ScopeEndedError,
  sleepForever,
  type Task,
} from "../../src/index.js";

/** Somebody who comes into a scope that is about to end: either it is turned away, or the scope lasts until it is over. */
class Latecomer {
  state: "not come" | "refused" | "inside" | "over" | "left behind" = "not come";
  /** What ends it when nothing else does. */
  readonly rescue: (() => unknown)[] = [];

  readonly work = async (scope: CancelScope): Promise<void> => {
    this.state = "inside";
    try {
      for (let i = 0; i < 5; i++) await checkpoint(scope);
    } finally {
      this.leave();
    }
  };

  leave(): void {
    if (this.state === "inside") this.state = "over";
  }

  /** Anything that ends by itself, or is cancelled, is over by now. */
  async check(): Promise<void> {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    if (this.state === "inside") this.state = "left behind";
    for (const end of this.rescue) end();
  }
}

type Way = (scope: CancelScope, latecomer: Latecomer, caller: Task) => Promise<unknown> | undefined;

const INTO_ANY: Readonly<Record<string, Way>> = {
  "a scope": (scope, { work }) => new CancelScope().run(work, scope),
  "a nursery": (scope, { work }) => openNursery(work, scope),
  "an operation": async (scope, latecomer) => {
    const operation = park((parked) => void latecomer.rescue.push(() => parked.wake()), undefined, scope);
    latecomer.state = "inside";
    await operation.finally(() => latecomer.leave());
  },
  "a cleanup": (scope, latecomer) => {
    scope.defer(latecomer.work);
    latecomer.state = "inside";
    return undefined;
  },
};

const INTO_NURSERIES: Readonly<Record<string, Way>> = {
  "a task": (scope, latecomer) => {
    (scope as Nursery).startSoon(latecomer.work);
    latecomer.state = "inside";
    return undefined;
  },
  "a background task": (scope, latecomer) => {
    (scope as Nursery).startSoon(latecomer.work, { background: true });
    latecomer.state = "inside";
    return undefined;
  },
  "a started task": (scope, latecomer, caller) =>
    (scope as Nursery).start((task, started) => {
      started(undefined);
      return latecomer.work(task);
    }, caller),
};

/** What there is to be ended when the body is over; `last` is to be called by what comes last. */
type Rest = (scope: CancelScope, last: () => void) => unknown;

const RESTS: Readonly<Record<string, Rest>> = {
  "with nothing in it": (_, last) => last(),
  "whose body waited": async (scope, last) => {
    await checkpoint(scope);
    last();
  },
  "that has failed": async (scope, last) => {
    await checkpoint(scope);
    last();
    throw new Error("expected");
  },
  "with a cleanup": (scope, last) => scope.defer(last),
  "with a nursery that nobody awaits": (scope, last) => {
    openNursery(async (inner) => {
      await sleepForever(inner).finally(last);
    }, scope);
  },
};

const RESTS_OF_NURSERIES: Readonly<Record<string, Rest>> = {
  "with a task": (scope, last) => {
    (scope as Nursery).startSoon(async (task) => {
      await checkpoint(task);
      last();
    });
  },
  "with a background task": (scope, last) => {
    (scope as Nursery).startSoon((task) => sleepForever(task).finally(last), { background: true });
  },
};

type Opening = (body: (scope: CancelScope) => unknown, root: Nursery) => Promise<unknown>;

const SCOPES: Readonly<Record<string, Opening>> = {
  scope: (body, root) => new CancelScope().run(body, root),
  task: (body, root) => openNursery((nursery) => void nursery.startSoon(body), root),
};

const NURSERIES: Readonly<Record<string, Opening>> = {
  nursery: (body, root) => openNursery(body, root),
  run: (body, root) => run(body, { signal: root.signal }),
};

const TICKS = 25;

/** Comes `ticks` microtasks after the last thing that happened in the scope, and tells what has become of it when the scope has settled. */
async function race(opening: Opening, rest: Rest, way: Way, ticks: number): Promise<string> {
  const latecomer = new Latecomer();
  await run(
    async (root) => {
      let target: CancelScope = root;
      let last = () => {};
      const fired = new Promise<void>((resolve) => {
        last = resolve;
      });
      root.startSoon(async (caller) => {
        await fired;
        for (let i = 0; i < ticks; i++) await undefined;
        const come = async () => way(target, latecomer, caller);
        come().catch((error) => {
          if (error instanceof NurseryClosedError || error instanceof ScopeEndedError) latecomer.state = "refused";
        });
        await latecomer.check();
      });
      await checkpoint(root);
      const body = (scope: CancelScope) => {
        target = scope;
        return rest(scope, last);
      };
      await opening(body, root).catch(() => {});
      // The end of an operation is seen only when its rejection has arrived.
      if (latecomer.state === "inside" && way !== INTO_ANY["an operation"]) latecomer.state = "left behind";
    },
    { ambient: false },
  );
  return latecomer.state;
}

async function leftBehind(
  openings: Readonly<Record<string, Opening>>,
  rests: Readonly<Record<string, Rest>>,
  ways: Readonly<Record<string, Way>>,
) {
  const found: string[] = [];
  for (const [kind, opening] of Object.entries(openings)) {
    for (const [what, rest] of Object.entries(rests)) {
      for (const [who, way] of Object.entries(ways)) {
        for (let ticks = 0; ticks < TICKS; ticks++) {
          if ((await race(opening, rest, way, ticks)) === "left behind") found.push(`${who}, ${ticks} ticks late, in a ${kind} ${what}`);
        }
      }
    }
  }
  return found;
}

describe("R1: whoever comes into a scope while it ends is turned away or waited for, to the very last microtask", () => {
  test("into any scope", async () => {
    expect(await leftBehind({ ...SCOPES, ...NURSERIES }, RESTS, INTO_ANY)).toEqual([]);
  });

  test("into a nursery", async () => {
    expect(await leftBehind(NURSERIES, { ...RESTS, ...RESTS_OF_NURSERIES }, INTO_NURSERIES)).toEqual([]);
  });
});
