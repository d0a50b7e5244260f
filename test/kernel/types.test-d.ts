import { execFile, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, watch, writeFile } from "node:fs/promises";
import * as http from "node:http";
import { PassThrough } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as delay, scheduler } from "node:timers/promises";
import { describe, expectTypeOf, test } from "vitest";
import {
  type Abort,
  type Awaitable,
  type CancelKind,
  type Cancellable,
  Cancelled,
  CancelScope,
  type CancelScopeOptions,
  CapacityLimiter,
  checkpoint,
  currentEffectiveDeadline,
  currentScope,
  currentTask,
  type DeadlockError,
  ErrorGroup,
  Event,
  failAfter,
  failAt,
  isCancellation,
  Lock,
  leaves,
  moveOnAfter,
  moveOnAt,
  Nursery,
  type NurseryOptions,
  now,
  openNursery,
  type Parked,
  type ParkOptions,
  park,
  type RunOptions,
  run,
  type ScopeEndedError,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  Task,
  type TaskCancelledError,
  type TaskOptions,
  type TaskState,
  type TimeoutError,
  type UsageError,
  type Waiting,
} from "../../src/index.js";

declare const scope: CancelScope;
declare const nursery: Nursery;
declare const task: Task<string>;

interface Page {
  readonly title: string;
}
declare function fetchPage(task: Task): Promise<Page>;

describe("results are inferred from the body", () => {
  test("of run() and openNursery(): a value, a promise, nothing", () => {
    expectTypeOf(run(async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(run(() => "now")).toEqualTypeOf<Promise<string>>();
    expectTypeOf(run(() => {})).toEqualTypeOf<Promise<void>>();
    expectTypeOf(openNursery(async () => ({ a: 1 }))).toEqualTypeOf<Promise<{ a: number }>>();
    expectTypeOf(openNursery((own) => own.startSoon(fetchPage).join())).toEqualTypeOf<Promise<Page>>();
    run((own) => expectTypeOf(own).toEqualTypeOf<Nursery>());
    openNursery((own) => expectTypeOf(own).toEqualTypeOf<Nursery>());
  });

  test("of startSoon(): a task of what the function returns", () => {
    expectTypeOf(nursery.startSoon(async () => 1)).toEqualTypeOf<Task<number>>();
    expectTypeOf(nursery.startSoon(() => "now")).toEqualTypeOf<Task<string>>();
    expectTypeOf(nursery.startSoon((own) => own.name)).toEqualTypeOf<Task<string>>();
    expectTypeOf(nursery.startSoon(fetchPage)).toEqualTypeOf<Task<Page>>();
    expectTypeOf(nursery.startSoon(fetchPage).join()).toEqualTypeOf<Promise<Page>>();
    nursery.startSoon((own) => expectTypeOf(own).toEqualTypeOf<Task>());
  });

  test("of start(): what started() is called with", () => {
    expectTypeOf(nursery.start((_own, started: (port: number) => void) => started(80))).toEqualTypeOf<Promise<number>>();
    expectTypeOf(nursery.start<number>((_own, started) => started(80))).toEqualTypeOf<Promise<number>>();
    expectTypeOf(nursery.start<void>(async (own, started) => expectTypeOf(own).toEqualTypeOf<Task>() && started())).toEqualTypeOf<
      Promise<void>
    >();
  });

  test("of scopes: undefined where they may have been cut off, and only there", () => {
    expectTypeOf(moveOnAfter(1, () => 1)).toEqualTypeOf<Promise<number | undefined>>();
    expectTypeOf(moveOnAt(1, async () => "x")).toEqualTypeOf<Promise<string | undefined>>();
    expectTypeOf(scope.run(async () => 1)).toEqualTypeOf<Promise<number | undefined>>();
    expectTypeOf(failAfter(1, async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(failAt(1, () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(shield(async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(shield((own) => own.remaining, { timeout: 1 })).toEqualTypeOf<Promise<number>>();
    moveOnAfter(1, (own) => expectTypeOf(own).toEqualTypeOf<CancelScope>());
    failAfter(1, (own) => expectTypeOf(own).toEqualTypeOf<CancelScope>());
  });

  test("of scope.run(): the body gets the scope as the class that it is", () => {
    class Mine extends CancelScope {
      readonly mine = true;
    }
    new Mine().run((own) => expectTypeOf(own.mine).toEqualTypeOf<boolean>());
  });

  test("of join(), park(), use(), run() of a lock", () => {
    expectTypeOf(task.join()).toEqualTypeOf<Promise<string>>();
    expectTypeOf(park<number>((parked) => expectTypeOf(parked).toEqualTypeOf<Parked<number>>() && undefined)).toEqualTypeOf<
      Promise<number>
    >();
    expectTypeOf(park(() => {})).toEqualTypeOf<Promise<void>>();
    const connection = { [Symbol.asyncDispose]: async () => {}, query: () => 1 };
    expectTypeOf(scope.use(connection)).toEqualTypeOf<typeof connection>();
    expectTypeOf(new Lock().run(async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(new Semaphore(1).run(() => "x")).toEqualTypeOf<Promise<string>>();
    expectTypeOf(new CapacityLimiter(1).run(() => {})).toEqualTypeOf<Promise<void>>();
    expectTypeOf(leaves(new ErrorGroup([], "x"))).toEqualTypeOf<unknown[]>();
  });
});

describe("every public type", () => {
  test("scopes", () => {
    expectTypeOf(scope.signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(scope.cancel).parameters.toEqualTypeOf<[reason?: unknown]>();
    expectTypeOf(scope.deadline).toEqualTypeOf<number>();
    expectTypeOf(scope.effectiveDeadline).toEqualTypeOf<number>();
    expectTypeOf(scope.remaining).toEqualTypeOf<number>();
    expectTypeOf(scope.shield).toEqualTypeOf<boolean>();
    expectTypeOf(scope.name).toEqualTypeOf<string>();
    expectTypeOf(scope.cancelCalled).toEqualTypeOf<boolean>();
    expectTypeOf(scope.cancelledCaught).toEqualTypeOf<boolean>();
    expectTypeOf(scope.throwIfCancelled()).toEqualTypeOf<void>();
    expectTypeOf(scope.defer).parameter(0).toEqualTypeOf<(scope: CancelScope) => Awaitable<unknown>>();
    expectTypeOf(CancelScope).toBeConstructibleWith();
    expectTypeOf<ConstructorParameters<typeof CancelScope>[0]>().toEqualTypeOf<CancelScopeOptions | undefined>();
    // @ts-expect-error: the signal is the scope's own
    scope.signal = new AbortController().signal;
    // @ts-expect-error: a name is for ever
    scope.name = "x";
    scope.deadline = 1;
    scope.shield = true;
  });

  test("nurseries and tasks", () => {
    expectTypeOf<Nursery>().toExtend<CancelScope>();
    expectTypeOf<Nursery>().toExtend<AsyncDisposable>();
    expectTypeOf<Task>().toExtend<CancelScope>();
    expectTypeOf(Nursery.open({} as NurseryOptions)).toEqualTypeOf<Nursery>();
    expectTypeOf(nursery.join()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(nursery.tasks).toEqualTypeOf<Iterable<Task>>();
    expectTypeOf(task.state).toEqualTypeOf<TaskState>();
    expectTypeOf<TaskState>().toEqualTypeOf<"pending" | "running" | "done" | "failed" | "cancelled">();
    expectTypeOf<TaskOptions>().toEqualTypeOf<{ readonly name?: string | undefined; readonly background?: boolean | undefined }>();
    expectTypeOf<Task<"a">>().toExtend<Task<string>>();
    expectTypeOf<Task<string>>().toExtend<Task>();
    expectTypeOf<Task<string>>().not.toExtend<Task<number>>();
  });

  test("functions", () => {
    expectTypeOf(sleep).toEqualTypeOf<(ms: number, scope?: Cancellable) => Promise<void>>();
    expectTypeOf(sleepUntil).toEqualTypeOf<(at: number, scope?: Cancellable) => Promise<void>>();
    expectTypeOf(sleepForever).toEqualTypeOf<(scope?: Cancellable) => Promise<never>>();
    expectTypeOf(checkpoint).toEqualTypeOf<(scope?: Cancellable) => Promise<void>>();
    expectTypeOf(now).toEqualTypeOf<(scope?: Cancellable) => number>();
    expectTypeOf(currentScope).toEqualTypeOf<() => CancelScope>();
    expectTypeOf(currentTask).toEqualTypeOf<(scope?: Cancellable) => Task>();
    expectTypeOf(currentEffectiveDeadline).toEqualTypeOf<(scope?: Cancellable) => number>();
    expectTypeOf(isCancellation).toEqualTypeOf<(error: unknown, scope?: Cancellable) => boolean>();
    expectTypeOf<Abort>().toEqualTypeOf<() => unknown>();
    expectTypeOf<ParkOptions>().toEqualTypeOf<{
      readonly op?: string | undefined;
      readonly on?: object | undefined;
      readonly foreign?: boolean | undefined;
    }>();
    expectTypeOf<RunOptions>().toExtend<NurseryOptions>();
  });

  test("what waits can be passed a scope, its signal, or an AbortController", () => {
    sleep(1, scope);
    sleep(1, nursery);
    sleep(1, task);
    sleep(1, { signal: scope.signal });
    sleep(1, new AbortController());
    sleep(1, undefined);
    openNursery(() => {}, scope);
    new Event().wait(scope);
    // @ts-expect-error: a signal alone is no options bag
    sleep(1, scope.signal);
    // @ts-expect-error: a duration is a number
    sleep("1");
  });

  test("errors", () => {
    expectTypeOf<Cancelled>().toExtend<DOMException>();
    expectTypeOf<Cancelled["kind"]>().toEqualTypeOf<CancelKind>();
    expectTypeOf<Cancelled["scope"]>().toEqualTypeOf<string>();
    expectTypeOf<Cancelled["cause"]>().toEqualTypeOf<unknown>();
    expectTypeOf<Cancelled["site"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ErrorGroup>().toExtend<AggregateError>();
    expectTypeOf(new ErrorGroup([], "x").leaves()).toEqualTypeOf<unknown[]>();
    expectTypeOf(new ErrorGroup([], "x").split(() => true)).toEqualTypeOf<
      [matching: ErrorGroup | undefined, rest: ErrorGroup | undefined]
    >();
    expectTypeOf<TimeoutError["scope"]>().toEqualTypeOf<string>();
    expectTypeOf<TaskCancelledError["task"]>().toEqualTypeOf<string>();
    expectTypeOf<ScopeEndedError>().toExtend<UsageError>();
    expectTypeOf<DeadlockError["waiting"]>().toEqualTypeOf<readonly Waiting[]>();
  });

  test("sync", () => {
    expectTypeOf(new Event().isSet).toEqualTypeOf<boolean>();
    expectTypeOf(new Event().set()).toEqualTypeOf<void>();
    expectTypeOf(new Lock().acquire()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(new Lock().statistics().owner).toEqualTypeOf<Task | undefined>();
    expectTypeOf(new Semaphore(1, { max: 2 }).value).toEqualTypeOf<number>();
    expectTypeOf(new CapacityLimiter(1).statistics().borrowers).toEqualTypeOf<readonly unknown[]>();
    // @ts-expect-error: how many there are is not optional
    new Semaphore();
    // @ts-expect-error: the value is moved by acquire() and release()
    new Semaphore(1).value = 2;
    new CapacityLimiter(1).total = 2;
  });
});

describe("a function is wanted where a promise would run already", () => {
  test("everywhere", () => {
    // @ts-expect-error: Pass () => work(), not work()
    run(sleep(1));
    // @ts-expect-error
    openNursery(sleep(1));
    // @ts-expect-error
    nursery.startSoon(sleep(1));
    // @ts-expect-error
    nursery.start(sleep(1));
    // @ts-expect-error
    scope.run(sleep(1));
    // @ts-expect-error
    moveOnAfter(1, sleep(1));
    // @ts-expect-error
    failAfter(1, sleep(1));
    // @ts-expect-error
    shield(sleep(1));
    // @ts-expect-error
    scope.defer(sleep(1));
    // @ts-expect-error
    new Lock().run(sleep(1));
    // @ts-expect-error
    park(sleep(1));
  });
});

describe("a scope is accepted as options by the platform", () => {
  for (const each of [scope, nursery, task]) {
    test("fetch, timers, events, streams, processes, http, listeners", () => {
      fetch("http://localhost", each);
      new Request("http://localhost", each);
      delay(1, undefined, each);
      scheduler.wait(1, each);
      once(new EventEmitter(), "event", each);
      readFile("file", each);
      writeFile("file", "data", each);
      watch("file", each);
      pipeline(new PassThrough(), new PassThrough(), each);
      finished(new PassThrough(), each);
      spawn("program", [], each);
      execFile("program", each);
      http.request("http://localhost", each);
      http.get("http://localhost", each);
      new EventTarget().addEventListener("event", () => {}, each);
      new ReadableStream().pipeTo(new WritableStream(), each);
    });
  }

  test("a scope and a task also by file streams; a nursery not, whose `start` they would read", () => {
    createReadStream("file", scope);
    createReadStream("file", task);
    createWriteStream("file", scope);
    // @ts-expect-error: pass { signal: nursery.signal }
    createReadStream("file", nursery);
    // @ts-expect-error: pass { signal: nursery.signal }
    createWriteStream("file", nursery);
    createReadStream("file", { signal: nursery.signal });
  });
});

describe("options are checked in full strictness", () => {
  test("of scopes and nurseries", () => {
    new CancelScope({ timeout: undefined, name: undefined });
    // @ts-expect-error
    new CancelScope({ timeout: "1" });
    // @ts-expect-error: no such option
    new CancelScope({ time: 1 });
    openNursery(() => {}, { errors: "group", name: "x", cleanupTimeout: 5, signal: undefined });
    // @ts-expect-error
    openNursery(() => {}, { errors: "all" });
    run(() => {}, { ambient: false, detached: true, debug: true });
    nursery.startSoon(() => {}, { name: "x", background: true });
    // @ts-expect-error: a task is in its nursery, not elsewhere
    nursery.startSoon(() => {}, { signal: scope.signal });
    nursery.start<void>((_, started) => started(), { name: "x", signal: scope.signal });
    expectTypeOf(Task).not.toBeAny();
    expectTypeOf(Cancelled).not.toBeAny();
  });
});
