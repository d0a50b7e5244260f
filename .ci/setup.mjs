// Makes a fresh clone ready: installs what the lockfiles say, and builds; each only if something has changed since the last time.
// Plain JavaScript that needs nothing but Node, because it runs before anything is installed. It reports to stderr, so that what follows has stdout.
//
// usage: node .ci/setup.mjs [FOLDER...]   the project, and these folders of it that have a package.json of their own
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("..", import.meta.url));

install(".");
build(".", ".ci/tsconfig.build.json", ["src", "test/conformance", "test/bench", "test/soak"]);
for (const folder of process.argv.slice(2)) {
  install(folder);
  if (existsSync(join(top, folder, "tsconfig.json"))) build(folder, join(folder, "tsconfig.json"), ["src", folder]);
}

function install(folder) {
  const inputs = [join(folder, "package.json"), join(folder, "package-lock.json")];
  once("npm", ["ci", "--no-audit", "--no-fund"], folder, inputs, join(folder, "node_modules/.setup-stamp"));
}

function build(folder, config, sources) {
  const inputs = [config, "tsconfig.json", "package-lock.json", ...sources.flatMap(typescriptIn)];
  const tsc = ["node_modules/typescript/bin/tsc", "-p", config, "--listEmittedFiles"];
  const emitted = once(process.execPath, tsc, ".", inputs, join(folder, "dist/.setup-stamp"));
  if (emitted !== undefined) keepOnly(emitted, join(top, folder, "dist"));
}

/** What was built of files that are gone would be published. It is removed after the build, so that two at once do not remove each other's. */
function keepOnly(emitted, dist) {
  const kept = new Set(
    [...emitted.matchAll(/^TSFILE: *(.+?)\r?$/gm)].map(([, path]) => resolve(path)).concat(resolve(dist, ".setup-stamp")),
  );
  for (const path of filesIn(dist)) if (!kept.has(resolve(path))) rmSync(path, { force: true });
}

/** Runs a command in `folder`, unless it has been run there since any of its inputs changed; if it is run, returns what it printed. */
function once(command, args, folder, inputs, stamp) {
  const hash = createHash("sha256").update(process.version);
  for (const input of inputs) hash.update(input).update(readFileSync(join(top, input)));
  const wanted = hash.digest("hex");
  const stampFile = join(top, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return undefined;
  console.error(`setup: ${command === "npm" ? "npm" : "tsc"} ${args.filter((arg) => !/bin\/tsc|--list/.test(arg)).join(" ")} in ${folder}`);
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: join(top, folder),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error(`${stdout ?? ""}${stderr ?? ""}${error ?? ""}`);
    process.exit(1);
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
  return stdout;
}

function typescriptIn(folder) {
  const files = filesIn(join(top, folder), ["node_modules", "dist"]).map((path) => path.slice(top.length));
  return files.filter((file) => file.endsWith(".ts")).sort();
}

/** Not by `recursive: true`, which follows links since Node 22: the one to the project, in the packages of an example, has no end. */
function filesIn(folder, except = []) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return except.includes(entry.name) ? [] : filesIn(path, except);
    return entry.isFile() ? [path] : [];
  });
}
