import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { readFile } from "node:fs";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { describe, expectTypeOf, test } from "vitest";
import {
  abandonOnCancel,
  type BridgeOptions,
  type CancellableOptions,
  CancelScope,
  cancellable,
  type Done,
  type EventOf,
  type EventStream,
  fromCallback,
  fromEvent,
  fromEvents,
  type Nursery,
  type OnOverflow,
  type OperationAborted,
  type OverflowError,
  run,
  type Settle,
  scopeFromSignal,
  select,
  type Task,
  toPromise,
} from "../../src/index.js";

declare const scope: CancelScope;
declare const nursery: Nursery;
declare const task: Task;
declare const signal: AbortSignal;

interface Message extends Event {
  readonly data: string;
}
interface Connection {
  release(): void;
}
declare const connecting: Promise<Connection>;

describe("operations", () => {
  test("cancellable() is typed by what its function returns", () => {
    expectTypeOf(cancellable(async () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(cancellable(() => "at once")).toEqualTypeOf<Promise<string>>();
    cancellable((signal) => expectTypeOf(signal).toEqualTypeOf<AbortSignal>());
    cancellable(() => connecting, { onLate: (late) => late.release(), onCancel: () => {}, settle: "now", op: "connect", on: scope }, task);
    expectTypeOf<CancellableOptions<Connection>>().toExtend<BridgeOptions<Connection>>();
    // @ts-expect-error: a promise is running already
    cancellable(connecting);
    // @ts-expect-error: no such word
    cancellable(() => connecting, { settle: "later" });
    // @ts-expect-error: the scope comes last
    cancellable(() => connecting, task);
    expectTypeOf<Settle>().toEqualTypeOf<"wait" | "now">();
  });

  test("abandonOnCancel() by its promise", () => {
    expectTypeOf(abandonOnCancel(connecting)).toEqualTypeOf<Promise<Connection>>();
    abandonOnCancel(connecting, { onLate: (late) => late.release() }, scope);
    // @ts-expect-error: a promise, not a function
    abandonOnCancel(() => connecting);
    expectTypeOf(scope.abandoned).toEqualTypeOf<number>();
    // @ts-expect-error: it is counted
    scope.abandoned = 0;
  });

  test("fromCallback() as it is told, or by the callback that it is given", () => {
    expectTypeOf(fromCallback<string>((done) => readFile("file", "utf8", done))).toEqualTypeOf<Promise<string>>();
    expectTypeOf(fromCallback((done: Done<Buffer>) => readFile("file", done))).toEqualTypeOf<Promise<Buffer>>();
    expectTypeOf(fromCallback((done) => setTimeout(done, 5) && undefined)).toEqualTypeOf<Promise<void>>();
    fromCallback<number>(({ resolve, reject }) => {
      resolve(1);
      reject("anything");
      // @ts-expect-error: no number
      resolve("x");
      return () => {};
    });
    fromCallback<string>((done) => done(null, "x"), { settle: "now", onLate: (late) => expectTypeOf(late).toEqualTypeOf<string>() }, task);
    // @ts-expect-error: an async function has no way to be told of a cancellation
    fromCallback(async (done) => done(null));
  });
});

describe("events", () => {
  test("of an emitter are arrays of what one says, unknown by default", () => {
    expectTypeOf(fromEvent(new EventEmitter(), "x")).toEqualTypeOf<Promise<unknown[]>>();
    expectTypeOf(fromEvent<[code: number | null]>(spawn("x"), "exit")).toEqualTypeOf<Promise<[code: number | null]>>();
    expectTypeOf(fromEvents<[line: string]>(createInterface(new PassThrough()), "line")).toEqualTypeOf<EventStream<[line: string]>>();
    fromEvent<[number]>(new EventEmitter<{ x: [number] }>(), "x", { filter: ([n]) => n > 1, failOn: Symbol("x") }, scope);
    fromEvent(new EventEmitter(), Symbol("x"));
    fromEvent(process, "SIGTERM");
  });

  test("of a target are what its `on...` property says, or Event", () => {
    expectTypeOf(fromEvent(signal, "abort")).toEqualTypeOf<Promise<Event>>();
    expectTypeOf(fromEvent(new EventTarget(), "x")).toEqualTypeOf<Promise<Event>>();
    expectTypeOf(fromEvent<Message>(new EventTarget(), "x")).toEqualTypeOf<Promise<Message>>();
    interface Socket extends EventTarget {
      onmessage: ((this: Socket, event: Message) => unknown) | null;
      onopen: (() => void) | null;
    }
    const socket = new EventTarget() as Socket;
    expectTypeOf(fromEvent(socket, "message")).toEqualTypeOf<Promise<Message>>();
    expectTypeOf<EventOf<Socket, "message">>().toEqualTypeOf<Message>();
    expectTypeOf<EventOf<Socket, "open">>().toEqualTypeOf<Event>();
    expectTypeOf<EventOf<Socket, "other">>().toEqualTypeOf<Event>();
    fromEvents(socket, "message", { filter: (event) => expectTypeOf(event.data).toEqualTypeOf<string>() === undefined });
    expectTypeOf(fromEvents(socket, "message").receive()).resolves.toEqualTypeOf<Message>();
    expectTypeOf(fromEvents(socket, "message").values().next()).resolves.toEqualTypeOf<IteratorResult<Message, undefined>>();
    expectTypeOf(select({ message: fromEvents(socket, "message") })).resolves.toEqualTypeOf<{
      readonly key: "message";
      readonly value: Message;
    }>();
  });

  test("are iterated, and what holds them up is named", async () => {
    for await (const [line] of fromEvents<[string]>(new EventEmitter(), "x", {
      capacity: 1,
      onOverflow: "dropOldest",
      endOn: ["end", "close"],
    })) {
      expectTypeOf(line).toEqualTypeOf<string>();
    }
    expectTypeOf<OnOverflow>().toEqualTypeOf<"fail" | "dropOldest" | "dropNewest">();
    // @ts-expect-error: no such policy
    fromEvents(new EventEmitter(), "x", { onOverflow: "wait" });
    // @ts-expect-error: nothing that has events
    fromEvents({}, "x");
    // @ts-expect-error: nothing that has events
    fromEvent("text", "x");
    expectTypeOf<OverflowError>().toExtend<Error>();
    expectTypeOf<OperationAborted["original"]>().toEqualTypeOf<unknown>();
  });
});

test("both ways over the border", () => {
  expectTypeOf(toPromise(async () => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(toPromise((own) => own.startSoon(() => "x").join(), { signal, nursery, name: "x" })).toEqualTypeOf<Promise<string>>();
  toPromise((own) => expectTypeOf(own).toEqualTypeOf<Nursery>());
  // @ts-expect-error: a promise is running already
  toPromise(connecting);
  // @ts-expect-error: a scope owns no tasks
  toPromise(() => {}, { nursery: scope });
  expectTypeOf(scopeFromSignal(signal)).toEqualTypeOf<CancelScope>();
  scopeFromSignal(signal, { timeout: 5, name: "x" });
  // @ts-expect-error: the signal, not its controller
  scopeFromSignal(new AbortController());
  expectTypeOf(run(() => scopeFromSignal(signal).run(() => 1))).toEqualTypeOf<Promise<number | undefined>>();
  new CancelScope();
});
