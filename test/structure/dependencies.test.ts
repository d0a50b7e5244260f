import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, root, type Source, sources, withoutComments } from "./sources.js";

/** What each folder may import of the project, besides itself. `index.ts` is the public core. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  sync: ["kernel"],
  channels: ["kernel", "sync"],
  combinators: ["kernel", "sync", "channels"],
  bridges: ["kernel", "sync", "channels"],
  testing: ["kernel", "index.ts"],
  inspect: ["kernel", "index.ts"],
  node: ["kernel", "bridges", "index.ts"],
};

function offenders(isWrong: (source: Source) => boolean): string[] {
  return sources.filter(isWrong).map(({ path }) => path);
}

function uses(pattern: RegExp, except: readonly string[]): string[] {
  return offenders(({ path, code }) => pattern.test(code) && !except.includes(path));
}

describe("the reader of sources", () => {
  test("finds the kernel", () => {
    expect(sources.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["index.ts", "kernel/scope.ts", "sync/lock.ts", "testing/simulate.ts"]),
    );
    expect(sources.find(({ path }) => path === "sync/lock.ts")?.imports).toContain("kernel/errors.ts");
  });

  test("finds every kind of import, and none in a comment", () => {
    const code = withoutComments(`
      import a from "a"; import { b,
        c } from './b'; export * from "c"; import "d"; await import("e"); // from "f"
      /* from "g" */ const url = "http://x"; import type { H } from "h";`);
    expect(importsOf(code)).toEqual(["a", "./b", "c", "d", "e", "h"]);
    expect(code).toContain("http://x");
  });
});

describe("a file imports only what is below it:", () => {
  for (const folder of new Set(sources.map((source) => source.folder))) {
    if (folder === "") continue;
    test(folder, () => {
      const below = allowed[folder];
      if (below === undefined) throw new Error(`src/${folder} has no place in the order of folders`);
      const isBelow = (name: string) => [folder, ...below].some((each) => name === each || name.startsWith(`${each}/`));
      const wrong = sources
        .filter((source) => source.folder === folder)
        .flatMap(({ path, imports }) =>
          imports.filter((name) => name.endsWith(".ts") && !isBelow(name)).map((name) => `${path} imports ${name}`),
        );
      expect(wrong).toEqual([]);
    });
  }

  test("every file that is imported exists", () => {
    const missing = sources.flatMap(({ path, imports }) =>
      imports.filter((name) => name.endsWith(".ts") && !existsSync(join(root, "src", name))).map((name) => `${path} imports ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("platforms are kept apart:", () => {
  test("nothing of Node outside src/node and the one file for the ambient scope", () => {
    const wrong = sources.flatMap(({ path, folder, imports }) =>
      folder === "node" || path === "kernel/context.node.ts"
        ? []
        : imports.filter((name) => name.startsWith("node:")).map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("nothing else from outside: only #context, which package.json resolves, and optional peers", () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.endsWith(".ts") && !name.startsWith("node:") && name !== "#context")
        .filter((name) => !(name === "fast-check" && path.startsWith("testing/fast-check/")))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("an optional peer is imported by an entry point of its own, which nothing else of the library imports", () => {
    const uses = sources.filter(({ imports }) => imports.includes("fast-check")).map(({ path }) => path);
    expect(uses).toContain("testing/fast-check/schedule.ts");
    const wrong = sources.flatMap(({ path, imports }) =>
      path.startsWith("testing/fast-check/")
        ? []
        : imports.filter((name) => name.startsWith("testing/fast-check/")).map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("the files for the ambient scope are imported by that name only", () => {
    expect(offenders(({ imports }) => imports.some((name) => /context\.\w+\.ts$/.test(name)))).toEqual([]);
  });

  test("both export the same", () => {
    const exportsOf = (path: string) =>
      [...(sources.find((source) => source.path === path)?.code ?? "").matchAll(/^export (?:const|function) (\w+)/gm)]
        .map(([, name]) => name)
        .sort();
    expect(exportsOf("kernel/context.node.ts")).toEqual(exportsOf("kernel/context.none.ts"));
    expect(exportsOf("kernel/context.node.ts")).toContain("ambientScope");
  });
});

describe("there is one place for each door to the platform:", () => {
  /** A message names what is not to be used. */
  const told = ["testing/errors/nondeterminism-error.ts"];

  test("abort listeners, which are slow in numbers: foreign signals", () => {
    expect(uses(/addEventListener\(\s*["']abort|onabort/, ["kernel/foreign-signal.ts"])).toEqual([]);
  });

  test("AbortSignal.any, which leaks: none", () => {
    expect(uses(/AbortSignal\s*\.\s*(?:any|timeout)/, ["kernel/foreign-signal.ts"])).toEqual([]);
  });

  test("AbortController: scopes", () => {
    expect(uses(/new AbortController/, ["kernel/scope.ts"])).toEqual([]);
  });

  test("timers: the clock", () => {
    expect(
      uses(/\b(?:setTimeout|setInterval|setImmediate)\b/, ["kernel/clock.ts", "kernel/next-turn.ts", "testing/engine/drain.ts", ...told]),
    ).toEqual([]);
  });

  test("time: the clock, and what gives real time to simulated runs", () => {
    expect(
      uses(/performance\.now|Date\.now|new Date\b/, [
        "kernel/clock.ts",
        "testing/engine/drain.ts",
        "testing/explore.ts",
        "testing/engine/foreign-waits.ts",
        "testing/engine/trial.ts",
        ...told,
      ]),
    ).toEqual([]);
  });

  test("chance: the runtime, so that a simulated one has none", () => {
    expect(uses(/Math\.random|randomUUID|getRandomValues/, ["kernel/production-runtime.ts", ...told])).toEqual([]);
  });
});

describe("files", () => {
  test("have at most 320 lines", () => {
    const long = sources.map(({ path, text }) => `${path}: ${text.split("\n").length}`).filter((line) => Number(line.split(": ")[1]) > 320);
    expect(long).toEqual([]);
  });

  test("have no default export", () => {
    expect(uses(/^export default/m, [])).toEqual([]);
  });

  test("have no `any`, and silence no check", () => {
    expect(
      offenders(({ text, code }) => /\bas any\b|: any\b|<any>/.test(code) || /@ts-ignore|@ts-expect-error|@ts-nocheck/.test(text)),
    ).toEqual([]);
  });
});

describe("package.json", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Readonly<Record<string, unknown>>;

  test("has no dependency at run time", () => {
    expect(manifest["dependencies"] ?? {}).toEqual({});
    expect(manifest["optionalDependencies"] ?? {}).toEqual({});
    expect(Object.keys(manifest["peerDependencies"] ?? {})).toEqual(Object.keys(manifest["peerDependenciesMeta"] ?? {}));
  });

  test("is of ES modules without side effects", () => {
    expect([manifest["type"], manifest["sideEffects"]]).toEqual(["module", false]);
  });

  test("picks the ambient scope per platform; what is unknown has none", () => {
    const context = (manifest["imports"] as Record<string, Record<string, string>>)["#context"] ?? {};
    expect(Object.keys(context).at(-1)).toBe("default");
    expect(context["default"]).toMatch(/context\.none\.js$/);
    for (const platform of ["node", "deno", "bun", "workerd"]) expect(context[platform]).toMatch(/context\.node\.js$/);
  });
});
