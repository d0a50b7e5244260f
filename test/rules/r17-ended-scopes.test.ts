import { expect, test } from "vitest";
import {
  CancelScope,
  type CancelScopeOptions,
  checkpoint,
  Event,
  moveOnAfter,
  Nursery,
  openNursery,
  run,
  ScopeEndedError,
  sleep,
  type Task,
  UsageError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

type Enter = (body: () => void) => Promise<unknown>;
const PLACES: readonly { name: string; path: string; enter: Enter }[] = [
  { name: "a scope", path: "root > scope", enter: (body) => new CancelScope().run(body) },
  { name: "a named scope", path: "root > request", enter: (body) => new CancelScope({ name: "request" }).run(body) },
  { name: "a timeout", path: "root > scope", enter: (body) => moveOnAfter(5, body) },
  { name: "a nursery", path: "root > nursery", enter: (body) => openNursery(body) },
  { name: "a named nursery", path: "root > pool", enter: (body) => openNursery(body, { name: "pool" }) },
  {
    name: "a task",
    path: "root > nursery > work#1",
    enter: (body) =>
      openNursery(
        (nursery) =>
          void nursery.startSoon(function work() {
            body();
          }),
      ),
  },
  {
    name: "a named task",
    path: "root > nursery > worker",
    enter: (body) => openNursery((nursery) => void nursery.startSoon(() => body(), { name: "worker" })),
  },
  { name: "a nest", path: "root > http > scope", enter: (body) => openNursery(() => moveOnAfter(5, body), { name: "http" }) },
];

/** What floating code gets when it does `call` after the end of the scope that it was started in. */
async function lateError(enter: Enter, call: () => unknown): Promise<unknown> {
  let error: unknown;
  const isOver = new Event();
  const told = new Event();
  await openNursery(async (nursery) => {
    await enter(() => {
      const float = async () => {
        await isOver.wait(nursery);
        try {
          await call();
        } catch (caught) {
          error = caught;
        }
        told.set();
      };
      void float();
    });
    isOver.set();
    await told.wait();
  });
  return error;
}

test.each(
  PLACES,
)("what floats on after the end of $name gets ScopeEndedError, which names it and says that something was not awaited", async ({
  path,
  enter,
}) => {
  const calls: (() => unknown)[] = [
    () => sleep(1),
    () => checkpoint(),
    () => openNursery(() => {}),
    () => moveOnAfter(5, () => {}),
    () => new CancelScope().run(() => {}),
    () => Nursery.open(),
    () => new Event().wait(),
    () => sleep(1, { signal: new AbortController().signal }),
  ];
  await simulate(async () => {
    for (const call of calls) {
      const error = (await lateError(enter, call)) as ScopeEndedError;
      expect(error).toBeInstanceOf(ScopeEndedError);
      expect(error).toBeInstanceOf(UsageError);
      const place = path.replace("root", "root > nursery");
      expect(error.scope).toBe(place);
      expect(error.message.startsWith(`the scope ${place} has ended: `)).toBe(true);
      expect(error.message).toMatch(/ Await what you start, or start it in a nursery that lives long enough\.$/);
    }
    const waited = (await lateError(enter, () => sleep(1))) as Error;
    expect(waited.message).toMatch(/ has ended: something in it was not awaited and went on after its end\. /);
  });
});

test("after the end of a run its scopes say the same", async () => {
  let floating: Promise<unknown> | undefined;
  let open: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  await run(
    () => {
      floating = gate.then(() => sleep(1)).catch((error: unknown) => error);
    },
    { name: "server" },
  );
  open?.();
  const error = (await floating) as ScopeEndedError;
  expect(error).toBeInstanceOf(ScopeEndedError);
  expect(error.scope).toBe("server");
});

test("what has ended is told by what it was: a handle that is kept says ScopeEndedError, a value that was kept is still there", async () => {
  await simulate(async () => {
    let kept: Task<number> | undefined;
    await openNursery((nursery) => {
      kept = nursery.startSoon(() => 5);
    });
    const task = kept as Task<number>;
    expect(() => task.throwIfCancelled()).toThrow(ScopeEndedError);
    expect(await task.join()).toBe(5);
  });
});

/** The message that a late wait gets in a scope, a nursery and a task, made in this file. */
async function messages(options: { debug?: boolean }): Promise<string[]> {
  const messages: string[] = [];
  await run(async () => {
    for (const { enter } of PLACES) messages.push(((await lateError(enter, () => sleep(1))) as Error).message);
  }, options);
  return messages;
}

test("development mode says where the scope was started: in the file and line of the user", async () => {
  const all = await messages({ debug: true });
  expect(all).toHaveLength(PLACES.length);
  for (const message of all) expect(message).toMatch(/ It was started at .*r17-ended-scopes\.test\.ts:\d+:\d+\)?\.$/);
});

test("without development mode it does not say where, because that costs a stack a scope", async () => {
  for (const message of await messages({ debug: false })) expect(message).not.toMatch(/started at|test\.ts/);
});

test("development mode is inherited, and a scope that is made in one place and entered in another is told by its entry", async () => {
  const options: CancelScopeOptions = { name: "late" };
  await run(
    async () => {
      const scope = new CancelScope(options);
      const error = (await lateError(
        (body) => openNursery(() => run(() => scope.run(body))),
        () => sleep(1),
      )) as Error;
      expect(error.message).toMatch(/^the scope .* > late has ended: .* It was started at .*r17-ended-scopes\.test\.ts:\d+:\d+\)?\.$/);
    },
    { debug: true },
  );
});
