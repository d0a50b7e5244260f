import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complaints, type Setting } from "./compile.js";
import { requiredNames, resultOf } from "./entries.js";
import { publicNames } from "./public-names.js";
import { setUp } from "./setup.js";
import { installed, packed, type Tarball, temporary } from "./tarball.js";
import { manifestIn, top } from "./top.js";
import { attwOn, publintOn } from "./verdicts.js";

let tarball: Tarball;
let folder: string;

beforeAll(() => {
  setUp();
  tarball = packed(temporary());
  folder = installed(tarball);
}, 300_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(dirname(tarball.path), { recursive: true, force: true });
});

describe("the package", () => {
  test("has what is built of src, each file as code and as declarations, and four files besides", () => {
    const sources = readdirSync(join(top, "src"), { recursive: true, encoding: "utf8" })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => path.endsWith(".ts"));
    expect(sources).toContain("kernel/scope.ts");
    const built = sources.flatMap((path) => [".js", ".d.ts"].map((ending) => `dist/src/${path.replace(/\.ts$/, ending)}`));
    expect(tarball.files).toEqual([...built, "CHANGELOG.md", "LICENSE", "README.md", "package.json"].sort());
  });

  test("names only files that it has", () => {
    const home = join(folder, "node_modules/creche");
    const { exports } = manifestIn(home);
    const targets = Object.values(exports).flatMap((each) => (typeof each === "string" ? [each] : Object.values(each)));
    expect(targets.length).toBeGreaterThan(8);
    expect(targets.filter((path) => !existsSync(join(home, path)))).toEqual([]);
  });

  test("refers to no file that it does not have", () => {
    const home = join(folder, "node_modules/creche");
    const dead = tarball.files
      .filter((file) => file.endsWith(".js") || file.endsWith(".d.ts"))
      .filter((file) => /\/\/# sourceMappingURL/.test(readFileSync(join(home, file), "utf8")));
    expect(dead).toEqual([]);
  });

  test("is clean for publint", async () => {
    expect(await publintOn(tarball, folder)).toEqual([]);
  });

  test("is clean for @arethetypeswrong", async () => {
    expect(await attwOn(tarball)).toEqual([]);
  });
});

describe("programs that have it installed", () => {
  test("run", async () => {
    expect(await resultOf(folder, "core", "told")).toBe(
      "item 1, item 2, doubled 2 4 6, streamed 2, streamed 4, streamed 6, fast, timed out, chosen number, ada, failed, task 6",
    );
    expect(await resultOf(folder, "testing", "slept")).toBe(60_000);
    expect(await resultOf(folder, "node", "lines")).toEqual(["x"]);
  });

  test("can require() it, where Node can", async () => {
    expect(requiredNames(folder, "creche")).toEqual(await publicNames());
    expect(requiredNames(folder, "creche/testing")).toContain("simulate");
  });

  // Each environment and each resolution once; `npm run package` tries them all, and an older compiler.
  test.each<Setting>([
    { compiler: "7.0", resolution: "bundler", environment: "browsers" },
    { compiler: "7.0", resolution: "nodenext", environment: "web workers" },
    { compiler: "7.0", resolution: "node16", environment: "Node" },
    { compiler: "7.0", resolution: "bundler", environment: "Node and DOM" },
    { compiler: "7.0", resolution: "nodenext", environment: "nothing said" },
  ])("compile for $environment, under $resolution", async (setting) => {
    expect(await complaints(folder, setting)).toEqual([]);
  });
});
