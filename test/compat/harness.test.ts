import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Raw } from "./harness/attempt.js";
import { type Probe, probe, type Scope, type Way } from "./harness/probe.js";
import { AT_ONCE, type Finding, runProbe } from "./harness/run-probe.js";
import { failsBefore } from "./harness/scenarios.js";
import type { ServerState } from "./servers/site.js";

// The suite has to find what is wrong with an API. Here are APIs each of which is wrong in one way.

const folder = mkdtempSync(join(tmpdir(), "creche-compat-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const opened: Server[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await closed(server);
  // A handle that was closed is listed for a turn more.
  await setTimeout(1);
});

function closed(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}

/** Of a kind that the test runner itself has none of. */
function openSomething(): void {
  opened.push(createServer().listen(0));
}

class Failure extends Error {}

const genuine = (error: unknown) => error instanceof Failure;

/** An API without fault. */
async function work(way: Way, task: Scope): Promise<string> {
  await setTimeout(way === "stall" ? 1e6 : 1, undefined, task);
  if (way === "fail") throw new Failure("meant to fail");
  return "done";
}

/** For what should end, and go, however slow the machine is. */
const LONG = 20_000;
/** For what never ends, and for what never goes: there is no sense in waiting for it. */
const NEVER = 1_000;
const STAYS = 100;

const NOTHING: ServerState = { connections: 0, unused: 0, served: 0, waiting: 0 };

interface Report {
  readonly findings: readonly Finding[];
  readonly isWrapped: boolean;
  /** `scenario: complaint`, each once. */
  readonly complaints: readonly string[];
}

interface Circumstances {
  readonly isBare?: boolean;
  readonly state?: () => ServerState;
  /** That an operation does not end, or that something stays, is what the test is about. */
  readonly neverEnds?: true;
  readonly stays?: true;
}

async function reportOn(definition: Omit<Probe, "name">, circumstances: Circumstances = {}): Promise<Report> {
  const { isBare = false, state = () => NOTHING, neverEnds, stays } = circumstances;
  const findings: Finding[] = [];
  const addresses = { http: "", https: "", certificate: "", http2: "", grpc: "", ports: { postgres: 0, mysql: 0, redis: 0 }, chromium: "" };
  const { isWrapped } = await runProbe({
    probe: { ...definition, name: "api" },
    site: { ...addresses, state: async () => state() },
    makeFolder: () => folder,
    isBare,
    patience: { end: neverEnds ? NEVER : LONG, leftovers: stays ? STAYS : LONG },
    tell: (finding) => findings.push(finding),
  });
  const complaints = findings.flatMap((finding) => finding.complaints.map((complaint) => `${finding.scenario}: ${complaint}`));
  return { findings, isWrapped, complaints: [...new Set(complaints)] };
}

/** `work`, with something else than it when it is to stall. */
const stalling = (stall: (task: Scope) => Promise<unknown>) => ({
  genuine,
  call: (way: Way, task: Scope) => (way === "stall" ? stall(task) : work(way, task)),
});

function whenAborted(signal: AbortSignal, then: (resolve: () => void, reject: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) then(resolve, reject);
    else signal.addEventListener("abort", () => then(resolve, reject), { once: true });
  });
}

describe("an API without fault", () => {
  it("passes every scenario", async () => {
    const { findings, complaints, isWrapped } = await reportOn({ call: work, genuine });
    expect(complaints).toEqual([]);
    expect(isWrapped).toBe(false);
    expect(findings.map(({ scenario }) => scenario)).toEqual([
      "waiting",
      "before",
      "normal",
      "often",
      "fails before",
      "fails after",
      ...Array<string>(7).fill("races"),
    ]);
  });

  it("shows what it rejects with", async () => {
    const { findings } = await reportOn({ call: work, genuine });
    const shown = Object.fromEntries(findings.map(({ scenario, rejection }) => [scenario, rejection]));
    expect(shown).toMatchObject({
      waiting: "AbortError ABORT_ERR, its cause the reason",
      before: "AbortError ABORT_ERR, its cause the reason",
      normal: undefined,
      "fails before": "Failure",
      "fails after": "Failure",
    });
  });

  it("that cannot fail by itself is not made to", async () => {
    const { findings } = await reportOn({ call: work });
    expect(findings.map(({ scenario }) => scenario)).toEqual(["waiting", "before", "normal", "often"]);
  });

  it("that takes its time to come to its wait is cancelled there", async () => {
    const seen: boolean[] = [];
    const setup = () => ({ isWaiting: false });
    const call = async (way: Way, task: Scope, env: unknown) => {
      const state = env as { isWaiting: boolean };
      await setTimeout(100, undefined, task);
      state.isWaiting = true;
      try {
        return await work(way, task);
      } finally {
        if (way === "stall") seen.push(state.isWaiting);
      }
    };
    const { complaints } = await reportOn({ call, setup, genuine, reached: (env) => (env as { isWaiting: boolean }).isWaiting });
    expect(complaints).toEqual([]);
    expect(seen).toEqual([true, true]);
  });

  it("that ends late is tried again, for it may be the machine that is busy", async () => {
    let late = 3;
    const call = async (way: Way, task: Scope) => {
      try {
        return await work(way, task);
      } finally {
        if (way === "stall" && late-- > 0) await setTimeout(2 * AT_ONCE);
      }
    };
    const { findings, complaints } = await reportOn({ call });
    expect(complaints).toEqual([]);
    const waits = findings.filter(({ scenario }) => scenario === "waiting").map(({ ms }) => ms > AT_ONCE);
    expect(waits.slice(0, 3)).toEqual([true, true, true]);
    expect(waits.length).toBeGreaterThan(3);
  });
});

describe("it is found that an API", () => {
  it("does not look at its signal", async () => {
    const { complaints } = await reportOn(
      stalling(() => new Promise(() => {})),
      { neverEnds: true },
    );
    expect(complaints).toEqual(["waiting: it never ends"]);
  });

  it("forgets who waits when garbage is collected", async () => {
    const call = ({ signal }: Scope) =>
      new Promise((_, reject) => {
        const waiter = new WeakRef({ reject });
        signal.addEventListener("abort", () => waiter.deref()?.reject(signal.reason));
      });
    expect((await reportOn(stalling(call), { neverEnds: true })).complaints).toEqual(["waiting: it never ends"]);
  });

  it("does not look at a signal that was aborted before", async () => {
    const { complaints } = await reportOn(
      stalling(({ signal }) => new Promise((_, no) => signal.addEventListener("abort", no))),
      { neverEnds: true },
    );
    expect(complaints).toContain("before: it never ends");
  });

  it("rejects with something that is not seen to be a cancellation", async () => {
    const call = stalling(({ signal }) =>
      whenAborted(signal, (_, reject) => reject(Object.assign(new Error("aborted"), { code: "ECONNRESET" }))),
    );
    const { complaints } = await reportOn(call);
    const complaint = "the cancellation counts as a failure: Error ECONNRESET: aborted";
    expect(complaints).toContain(`waiting: ${complaint}`);
    expect(complaints).toContain(`before: ${complaint}`);
  });

  it("ends normally when it is cancelled", async () => {
    const definition = stalling(({ signal }) => whenAborted(signal, (resolve) => resolve()));
    expect((await reportOn(definition)).complaints).toEqual([
      "waiting: it ended normally though it was cancelled",
      "before: it ended normally though it was cancelled",
    ]);
    expect((await reportOn({ ...definition, resolves: true })).complaints).toEqual([]);
  });

  it("did not wait, so that nothing was cancelled", async () => {
    const { complaints } = await reportOn(stalling(async () => "at once"));
    expect(complaints).toContain("waiting: it did not wait: the task had ended before it was cancelled (done; it resolved)");
  });

  it("does not succeed", async () => {
    const { complaints } = await reportOn({
      genuine,
      call: (way, task) => (way === "complete" ? Promise.reject(new Error("no")) : work(way, task)),
    });
    expect(complaints).toEqual(["normal: it should succeed: it rejected with Error: no"]);
  });

  it("hides a genuine failure in what looks like an abort", async () => {
    const hidden = async (way: Way, task: Scope) => {
      try {
        return await work(way, task);
      } catch (error) {
        throw error instanceof Failure ? Object.assign(new Failure(error.message), { name: "AbortError" }) : error;
      }
    };
    const { complaints } = await reportOn({ call: hidden, genuine });
    const complaint = "a genuine failure was swallowed: AbortError: meant to fail";
    expect(complaints).toContain(`fails before: ${complaint}`);
    expect(complaints).toContain(`fails after: ${complaint}`);
  });

  it("makes the nursery reject with another error than its own", async () => {
    const raw = new Raw();
    const failure = new Failure("meant to fail");
    await raw.of(() => Promise.reject(failure)).catch(() => {});
    const call = () => Promise.resolve();
    const { judge } = failsBefore({ probe: { name: "api", call, genuine }, raw, call, callElsewhere: call, underWay: call });
    const judged = (error: unknown) => judge({ end: { kind: "rejected", error }, task: "failed", wasOver: true });
    expect(judged(failure)).toBe(undefined);
    expect(judged(new Failure("another"))).toBe("the nursery rejects with another error than the operation: Failure: another");
  });

  it("fails in another way than it was meant to", async () => {
    const { complaints } = await reportOn({
      genuine,
      call: (way, task) => (way === "fail" ? Promise.reject(new TypeError("oops")) : work(way, task)),
    });
    expect(complaints).toContain("fails before: it failed in another way than it was meant to: TypeError: oops");
  });

  it("leaves something open in the process", async () => {
    const { complaints } = await reportOn(
      stalling((task) => {
        openSomething();
        return work("stall", task);
      }),
      { stays: true },
    );
    expect(complaints).toEqual([
      "waiting: left: TCPServerWrap",
      "waiting: left after closing: TCPServerWrap",
      "before: left: TCPServerWrap",
      "before: left after closing: TCPServerWrap",
      "fails after: left: TCPServerWrap",
      "fails after: left after closing: TCPServerWrap",
    ]);
  });

  it("leaves something at its server", async () => {
    let state = NOTHING;
    const definition = stalling((task) => {
      state = { connections: state.connections + 1, unused: 0, served: 0, waiting: state.waiting + 2 };
      return work("stall", task);
    });
    const { complaints } = await reportOn(definition, { state: () => state, stays: true });
    expect(complaints).toContain("waiting: left: 1 connection(s) at the server");
    expect(complaints).toContain("waiting: left: 2 operation(s) at the server");
  });

  it("leaves what its environment should have closed", async () => {
    const { complaints } = await reportOn({ call: work, setup: openSomething }, { stays: true });
    expect(complaints).toEqual(
      ["waiting", "before", "normal", "often"].map((scenario) => `${scenario}: left after closing: TCPServerWrap`),
    );
  });

  it("keeps the signals that it is given", async () => {
    const kept: unknown[] = [];
    const call = (way: Way, task: Scope) => {
      kept.push(task.signal);
      return work(way, task);
    };
    const { complaints } = await reportOn({ call });
    expect(complaints).toEqual(["often: left: the signals of 8 in 8 tasks that have ended"]);
    expect(kept.length).toBeGreaterThan(0);
  });

  it("leaves a listener for each call", async () => {
    const call = (way: Way, task: Scope) => {
      task.signal.addEventListener("abort", () => {});
      return work(way, task);
    };
    const { findings, complaints } = await reportOn({ call });
    expect(complaints).toEqual([]);
    expect(findings.find(({ often }) => often !== undefined)?.often).toMatchObject({ listeners: 8, listenersLater: 8 });
  });
});

describe("what is told of an API", () => {
  it("is whether the listeners that it leaves go when garbage is collected", async () => {
    const registry = new FinalizationRegistry<() => void>((remove) => remove());
    const call = (way: Way, task: Scope) => {
      const listener = () => {};
      task.signal.addEventListener("abort", listener);
      registry.register({}, () => task.signal.removeEventListener("abort", listener));
      return work(way, task);
    };
    const { findings } = await reportOn({ call });
    expect(findings.find(({ often }) => often !== undefined)?.often).toMatchObject({ listeners: 8, listenersLater: 0 });
  });
});

describe("what is allowed for", () => {
  it("an idle connection of a pool is not counted", async () => {
    let connections = 0;
    const definition = stalling((task) => {
      connections++;
      return work("stall", task);
    });
    const state = () => ({ connections, unused: connections, served: 0, waiting: 0 });
    expect((await reportOn({ ...definition, isPooled: true }, { state })).complaints).toEqual([]);
    connections = 0;
    expect((await reportOn(definition, { state, stays: true })).complaints).toContain("waiting: left: 1 connection(s) at the server");
  });

  it("what goes by itself after a while is not left", async () => {
    const definition = stalling((task) => {
      const server = createServer().listen(0);
      task.signal.addEventListener("abort", () => globalThis.setTimeout(() => server.close(), 30));
      if (task.signal.aborted) server.close();
      return work("stall", task);
    });
    expect((await reportOn(definition)).complaints).toEqual([]);
  });

  it("what an environment defers is done after each scenario, the last first", async () => {
    const log: string[] = [];
    const setup: Probe["setup"] = ({ defer }) => {
      const server = createServer().listen(0);
      defer(() => log.push("first"));
      defer(() => closed(server));
      defer(() => log.push("last"));
    };
    const { complaints } = await reportOn({ call: work, setup });
    expect(complaints).toEqual([]);
    expect(log).toEqual(["waiting", "before", "normal", "often"].flatMap(() => ["last", "first"]));
  });

  it("what is prepared once is there for all scenarios, and is no part of what is looked at", async () => {
    const log: string[] = [];
    const prepare: Probe["prepare"] = ({ defer }) => {
      const server = createServer().listen(0);
      log.push("prepared");
      defer(() => {
        log.push("closed");
        return closed(server);
      });
    };
    const { complaints } = await reportOn({ call: work, prepare, setup: () => void log.push("set up") });
    expect(complaints).toEqual([]);
    expect(log).toEqual(["prepared", "set up", "set up", "set up", "set up", "closed"]);
  });

  it("what is prepared is closed even if an environment cannot be made", async () => {
    const log: string[] = [];
    const prepare: Probe["prepare"] = ({ defer }) => void defer(() => log.push("closed"));
    const setup = () => Promise.reject(new Error("no environment"));
    await expect(reportOn({ call: work, prepare, setup })).rejects.toThrow("no environment");
    expect(log).toEqual(["closed"]);
  });

  it("what a probe says that it leaves is told, and is no complaint", async () => {
    const { findings, complaints } = await reportOn({
      ...stalling((task) => {
        openSomething();
        return work("stall", task);
      }),
      leaves: { what: "a server", reports: /TCPServerWrap/ },
    });
    expect(complaints).toEqual([]);
    expect(findings[0]?.left).toEqual(["left: TCPServerWrap", "left after closing: TCPServerWrap"]);
  });

  it("of an aggregate that has the cancellation in it, only the failure has to come out", async () => {
    const call = async (way: Way, task: Scope) => {
      try {
        return await work(way, task);
      } catch (error) {
        if (way !== "fail" || !task.signal.aborted) throw error;
        throw new AggregateError([task.signal.reason, new Failure("meant to fail")]);
      }
    };
    const isGenuine = (error: unknown) => genuine(error) || (error as { errors?: unknown[] }).errors?.some(genuine) === true;
    const { findings, complaints } = await reportOn({ call, genuine: isGenuine });
    expect(complaints).toEqual([]);
    expect(findings.some(({ rejection }) => rejection === "AggregateError")).toBe(true);
  });
});

describe("cancellable", () => {
  const wrapped = probe({
    name: "api",
    genuine,
    call: (way, task, _env, wrap) => {
      const emitter = new EventEmitter();
      const start = () =>
        new Promise((resolve, reject) => {
          emitter.once("stop", () => reject(new Error("Connection is closed.")));
          if (way === "complete") setImmediate(resolve);
          if (way === "fail") setImmediate(() => reject(new Failure("meant to fail")));
        });
      return wrap(start, { onCancel: () => emitter.emit("stop") }, task);
    },
  });

  it("is seen to be used, and makes it hold", async () => {
    const { isWrapped, complaints, findings } = await reportOn(wrapped);
    expect(isWrapped).toBe(true);
    // What the operation itself rejects with.
    expect(findings.find(({ scenario }) => scenario === "waiting")?.rejection).toBe("Error");
    expect(complaints).toEqual([]);
  });

  it("is left away in a bare run, which shows what it is for", async () => {
    const { isWrapped, complaints, findings } = await reportOn(wrapped, { isBare: true, neverEnds: true });
    expect(isWrapped).toBe(false);
    expect(complaints).toEqual(["waiting: it never ends"]);
    expect(findings).toHaveLength(1);
  });
});
