import { exec, execFile, fork, spawn } from "node:child_process";
import { EventEmitter, getEventListeners, getMaxListeners, on, once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import * as http from "node:http";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as delay, setInterval as every, scheduler } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CancelScope, run } from "../../src/index.js";
import { rejectionOf } from "./support.js";

const HOUR = 3_600_000;
const idle = ["-e", `setTimeout(() => {}, ${HOUR})`];
const ignore = () => {};

/** Begins something real with a scope as its options. What it returns ends it, where the abort does not. */
type Row = readonly [name: string, begin: (scope: CancelScope) => undefined | (() => void)];

function quietly(promise: Promise<unknown>): undefined {
  promise.catch(ignore);
}

function killing(child: ReturnType<typeof spawn>): () => void {
  child.on("error", ignore);
  return () => child.kill("SIGKILL");
}

const rows: Row[] = [
  ["fetch", (scope) => quietly(fetch("http://127.0.0.1:9/", scope))],
  ["timers/promises setTimeout", (scope) => quietly(delay(HOUR, undefined, scope))],
  ["timers/promises setInterval", (scope) => quietly(every(HOUR, undefined, scope).next() as Promise<unknown>)],
  ["timers/promises scheduler.wait", (scope) => quietly(scheduler.wait(HOUR, scope))],
  ["events.once", (scope) => quietly(once(new EventEmitter(), "never", scope))],
  ["events.on", (scope) => quietly(on(new EventEmitter(), "never", scope).next())],
  ["stream.pipeline", (scope) => quietly(pipeline(new Readable({ read() {} }), new PassThrough(), scope))],
  ["stream.finished", (scope) => quietly(finished(new PassThrough(), scope))],
  ["addEventListener", (scope) => void new EventTarget().addEventListener("never", ignore, scope)],
  ["a web stream's pipeTo", (scope) => quietly(new ReadableStream().pipeTo(new WritableStream(), scope))],
  ["readline", (scope) => void createInterface(Object.assign(scope, { input: new PassThrough() }))],
];

/** These copy their options before they read them, and a copy has an object's own properties only: they need `{ signal: scope.signal }`. */
const copying: Row[] = [
  ["child_process.spawn", (scope) => killing(spawn(process.execPath, idle, scope))],
  ["child_process.execFile", (scope) => killing(execFile(process.execPath, idle, scope, ignore))],
  ["child_process.exec", (scope) => killing(exec(`exec "${process.execPath}" -e "setTimeout(() => {}, ${HOUR})"`, scope, ignore))],
  ["child_process.fork", (scope) => killing(fork("/dev/null", scope))],
  [
    "http.request",
    (scope) => {
      const request = http.request("http://127.0.0.1:9/", scope).on("error", ignore);
      return () => request.destroy();
    },
  ],
  [
    "http.get",
    (scope) => {
      const request = http.get("http://127.0.0.1:9/", scope).on("error", ignore);
      return () => request.destroy();
    },
  ],
];

async function listeners(begin: Row[1], optionsOf: (scope: CancelScope) => CancelScope): Promise<number> {
  return run(() =>
    new CancelScope().run((scope) => {
      const end = begin(optionsOf(scope));
      const count = getEventListeners(scope.signal, "abort").length;
      scope.cancel();
      end?.();
      return count;
    }),
  ) as Promise<number>;
}

describe("a scope goes as it is where the platform takes { signal }, which then listens to its signal:", () => {
  for (const [name, begin] of rows) {
    test(name, async () => {
      expect(await listeners(begin, (scope) => scope)).toBeGreaterThan(0);
    });
  }

  // These look at the signal from chunk to chunk, and never listen.
  test("fs/promises readFile and writeFile", async () => {
    const rejections = await run(async () => {
      const ended: unknown[] = [];
      await new CancelScope().run(async (scope) => {
        scope.cancel();
        ended.push(await rejectionOf(readFile("/dev/null", scope)), await rejectionOf(writeFile("/dev/null", "", scope)));
      });
      return ended;
    });
    expect(rejections).toMatchObject([{ name: "AbortError" }, { name: "AbortError" }]);
  });
});

describe("a platform function that copies its options", () => {
  for (const [name, begin] of copying) {
    test(`${name} listens to { signal: scope.signal }`, async () => {
      expect(await listeners(begin, (scope) => ({ signal: scope.signal }) as CancelScope)).toBeGreaterThan(0);
    });

    test(`${name} does not see the signal of a bare scope, as the docs say`, async () => {
      expect(await listeners(begin, (scope) => scope)).toBe(0);
    });
  }
});

test("a signal may have any number of listeners, and says so to libraries that ask, as undici does", async () => {
  await run((scope) => {
    const { signal } = scope;
    // 0 is how later versions of Node say the same.
    expect([0, Number.POSITIVE_INFINITY]).toContain(getMaxListeners(signal));
  });
});
