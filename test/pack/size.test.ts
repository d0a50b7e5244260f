import { beforeAll, describe, expect, test } from "vitest";
import { type Bundle, bundle, bundles, exporting } from "./bundle.js";
import { guarantees } from "./guarantees.js";
import { core, type Limits, limits } from "./limits.js";
import { homes, publicNames } from "./public-names.js";
import { setUp } from "./setup.js";

/** What a folder may bring of the others. */
const below: Readonly<Record<string, readonly string[]>> = {
  kernel: ["kernel"],
  sync: ["kernel", "sync"],
  channels: ["kernel", "sync", "channels"],
  combinators: ["kernel", "sync", "channels", "combinators"],
  bridges: ["kernel", "sync", "channels", "bridges"],
};

let alone: Readonly<Record<string, Bundle>>;
let kernelAlone: Bundle;

beforeAll(async () => {
  setUp();
  const names = await publicNames();
  alone = await bundles(Object.fromEntries(names.map((name) => [name, exporting(name)])));
  kernelAlone = await bundle(exporting(...core));
}, 300_000);

function broughtBy(...names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => [...(alone[name]?.files.keys() ?? [])]))];
}

function homeOf(name: string): string {
  const home = homes().get(name);
  if (home === undefined) throw new Error(`index.js does not say where ${name} is from`);
  return home;
}

describe("a bundle is not larger than its limit", () => {
  const programs: Readonly<Record<keyof Limits, string>> = { core: exporting(...core), everything: 'export * from "creche";' };

  test.each(["core", "everything"] as const)("%s", async (name) => {
    const { gzip } = await bundle(programs[name]);
    expect(gzip).toBeLessThanOrEqual(limits[name]);
    // A limit far away would not notice anything.
    expect(gzip).toBeGreaterThan(limits[name] * 0.9);
  });

  test("that for browsers is no larger, and has nothing of Node", async () => {
    const [node, browser] = [await bundle(programs.everything), await bundle(programs.everything, { platform: "browser" })];
    expect(browser.gzip).toBeLessThanOrEqual(node.gzip);
    const imported = ({ text }: Bundle) => text.match(/"node:\w+"/g) ?? [];
    expect(imported(node)).toContain('"node:async_hooks"');
    expect(imported(browser)).toEqual([]);
  });
});

describe("a bundle has only what is used:", () => {
  test("nothing, of what is imported for nothing", async () => {
    for (const program of ['import "creche";', 'import { run, map } from "creche";', 'import * as creche from "creche";'])
      expect((await bundle(program)).text.trim()).toBe("");
  });

  test("each public name brings its own file, and none of a folder above", () => {
    expect(Object.keys(alone).length).toBeGreaterThan(80);
    for (const name of Object.keys(alone)) {
      const home = homeOf(name);
      expect(broughtBy(name), name).toContain(home);
      const allowed = below[home.split("/")[0] ?? ""];
      expect([name, broughtBy(name).filter((file) => allowed?.includes(file.split("/")[0] ?? "") !== true)]).toEqual([name, []]);
    }
  });

  test("kernel functions bring no nursery unless they are about one", () => {
    const scoped = ["CancelScope", "ContextVariable", "checkpoint", "currentScope", "failAfter", "isCancellation", "moveOnAt", "now"];
    expect(broughtBy(...scoped, "park", "shield", "sleep", "sleepUntil")).not.toContain("kernel/nursery.js");
    expect(broughtBy("openNursery")).toContain("kernel/nursery.js");
  });

  test("primitives bring no nursery, no select, and not one another", () => {
    for (const name of ["Barrier", "CapacityLimiter", "Event", "Lock", "RateLimiter", "Semaphore"]) {
      const files = broughtBy(name);
      expect([name, files.filter((file) => /nursery|select\.js|^channels/.test(file))]).toEqual([name, []]);
      const others = ["barrier", "capacity-limiter", "condition", "event", "lock", "rate-limiter", "semaphore"]
        .map((file) => `sync/${file}.js`)
        .filter((file) => file !== homeOf(name));
      expect([name, files.filter((file) => others.includes(file))]).toEqual([name, []]);
    }
  });

  test("channels bring no nursery, select, generator or broadcast; select brings no channel", () => {
    const files = broughtBy("openMemoryChannel");
    expect(files).toContain("channels/ring-buffer.js");
    expect(files.filter((file) => /nursery|select\.js|generat|channels\/produc|merge|broadcast/.test(file))).toEqual([]);
    expect(broughtBy("select").filter((file) => file.startsWith("channels/"))).toEqual(["channels/select.js"]);
    expect(broughtBy("Broadcast").filter((file) => /memory|generat|channels\/produc|nursery/.test(file))).toEqual([]);
  });

  test("combinators bring one another's parts, and not one another", () => {
    const combinators = [...homes().values()].filter((file) => file.startsWith("combinators/"));
    expect(combinators.length).toBeGreaterThan(10);
    /** `hedge` is `staggered` of one function, `allSettled` is an `all`. */
    const built: Readonly<Record<string, readonly string[]>> = { hedge: ["staggered"], allSettled: ["all"] };
    for (const name of Object.keys(alone).filter((name) => homeOf(name).startsWith("combinators/"))) {
      const allowed = [homeOf(name), ...(built[name] ?? []).map((file) => `combinators/${file}.js`)];
      expect([name, broughtBy(name).filter((file) => combinators.includes(file) && !allowed.includes(file))]).toEqual([name, []]);
    }
  });

  test("map and forEach take items of any source without bringing a channel", () => {
    expect(broughtBy("map", "forEach").filter((file) => /memory|receivable|select\.js|produced/.test(file))).toEqual([]);
    expect(broughtBy("mapStream")).toContain("channels/receivable.js");
  });

  test("bridges bring no combinator, and those of operations no nursery and no stream", () => {
    const operations = broughtBy("abandonOnCancel", "cancellable", "fromCallback", "fromEvent", "scopeFromSignal");
    expect(operations.filter((file) => /nursery|stream|channels/.test(file))).toEqual([]);
  });

  test("policies and errors weigh next to nothing", () => {
    for (const name of ["collect", "failFast", "until", "UsageError", "TimeoutError", "EndOfChannel", "leaves", "timeout"])
      expect([name, (alone[name]?.gzip ?? 0) < 700]).toEqual([name, true]);
  });
});

test("the table of what it costs has each file of the core once", () => {
  const inTable = Object.values(guarantees).flat();
  expect(inTable.map((file) => `kernel/${file}.js`).sort()).toEqual([...kernelAlone.files.keys()].sort());
});
