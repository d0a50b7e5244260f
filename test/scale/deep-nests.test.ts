import { expect, test } from "vitest";
import {
  type Cancellable,
  Cancelled,
  CancelScope,
  checkpoint,
  ErrorGroup,
  leaves,
  moveOnAfter,
  openNursery,
  run,
  shield,
  sleepForever,
} from "../../src/index.js";

/** Enters one more level, and calls `body` in it with its scope. */
type Enter = (body: (scope: Cancellable) => Promise<unknown>, scope: Cancellable) => Promise<unknown>;

const LEVELS: Record<string, Enter> = {
  nurseries: (body, scope) => openNursery(body, scope),
  "nurseries and tasks": (body, scope) =>
    openNursery((nursery) => {
      nursery.startSoon(body);
    }, scope),
  "nurseries and tasks that start": (body, scope) =>
    openNursery(
      (nursery) =>
        nursery.start<void>((task, started) => {
          started();
          return body(task);
        }, nursery),
      scope,
    ),
  scopes: (body, scope) => new CancelScope().run(body, scope),
  timeouts: (body, scope) => moveOnAfter(1e9, body, scope),
  shields: (body, scope) => shield(body, { signal: (scope as CancelScope).signal }),
};

/** A nest of `depth` levels, with `bottom` in the innermost. */
function nest(enter: Enter, depth: number, scope: Cancellable, bottom: (scope: Cancellable) => Promise<unknown>): Promise<unknown> {
  const at = (level: number, scope: Cancellable): Promise<unknown> =>
    level === 0 ? bottom(scope) : enter((inner) => at(level - 1, inner), scope);
  return at(depth, scope);
}

const DEPTH = 100_000;
// A start is a nursery and a task for each level besides: a fifth of the depth says as much, in a fifth of the time.
const kinds = Object.entries(LEVELS).map(([name, enter]) => ({ name, enter, depth: name.endsWith("start") ? DEPTH / 5 : DEPTH }));

test.each(kinds)("$depth $name inside one another", async ({ enter, depth }) => {
  let reached = 0;
  await run(
    (root) =>
      nest(enter, depth, root, async (scope) => {
        await checkpoint(scope);
        reached++;
      }),
    { ambient: false },
  );
  expect(reached).toBe(1);
});

test.each(kinds)("$depth $name inside one another, with a failure at the bottom: it comes out as itself", async ({ enter, depth }) => {
  const broken = new Error("at the bottom");
  const outcome: unknown = await run(
    (root) =>
      nest(enter, depth, root, async (scope) => {
        await checkpoint(scope);
        throw broken;
      }),
    { ambient: false },
  ).catch((error: unknown) => error);
  expect(outcome).toBe(broken);
});

test.each(kinds.filter(({ name }) => name !== "shields"))("$depth $name inside one another, cancelled from above and from inside", async ({
  enter,
  depth,
}) => {
  for (const isFromInside of [true, false]) {
    let reason: unknown;
    const outcome = await run(
      async (root) => {
        if (!isFromInside) root.startSoon(async (task) => checkpoint(task).then(() => root.cancel()));
        await nest(enter, depth, root, async (scope) => {
          if (isFromInside) root.cancel();
          try {
            await sleepForever(scope);
          } catch (error) {
            reason = error;
            throw error;
          }
        });
        return "the body came to its end";
      },
      { ambient: false },
    );
    expect(reason).toBeInstanceOf(Cancelled);
    expect(outcome).toBeUndefined();
  }
});

test("100,000 nurseries inside one another, each with a task that waits: one cancel reaches all", async () => {
  let cancelled = 0;
  await run(
    (root) =>
      nest(
        (body, scope) =>
          openNursery((nursery) => {
            nursery.startSoon((task) =>
              sleepForever(task).catch((error: unknown) => {
                cancelled++;
                throw error;
              }),
            );
            return body(nursery);
          }, scope),
        DEPTH,
        root,
        async (scope) => {
          await checkpoint(scope);
          root.cancel();
          await checkpoint(scope);
        },
      ),
    { ambient: false },
  );
  expect(cancelled).toBe(DEPTH);
});

test("100,000 nurseries that each fail and always group: the error can be walked without recursion", async () => {
  const outcome: unknown = await run(
    (root) =>
      nest(LEVELS["nurseries"] as Enter, DEPTH, root, async () => {
        throw new Error("at the bottom");
      }),
    { ambient: false, errors: "group" },
  ).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ErrorGroup);
  expect(leaves(outcome)).toEqual([new Error("at the bottom")]);
  const [matching, rest] = (outcome as ErrorGroup).split(() => true);
  expect([matching?.leaves().length, rest]).toEqual([1, undefined]);
});

test("10,000 levels of each kind with an ambient scope", async () => {
  for (const { name, enter } of kinds) {
    const ambient: Enter = name === "shields" ? (body) => shield(body) : enter;
    let reached = 0;
    await run((root) =>
      nest(ambient, 10_000, root, async () => {
        await checkpoint();
        reached++;
      }),
    );
    expect([name, reached]).toEqual([name, 1]);
  }
});
