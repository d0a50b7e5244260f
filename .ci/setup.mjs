// Makes a fresh clone ready: installs what the lockfiles say, and builds; each only if something has changed since the last time.
// Plain JavaScript that needs nothing but Node, because it runs before anything is installed. It reports to stderr, so that what follows has stdout.
//
// usage: node .ci/setup.mjs [FOLDER...]   the project, and these folders of it that have a package.json of their own
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("..", import.meta.url));

install(".");
build(".", ".ci/tsconfig.build.json", ["src", "test/conformance", "test/bench"]);
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
  once(process.execPath, ["node_modules/typescript/bin/tsc", "-p", config], ".", inputs, join(folder, "dist/.setup-stamp"));
}

/** Runs a command in `folder`, unless it has been run there since any of its inputs changed. */
function once(command, args, folder, inputs, stamp) {
  const hash = createHash("sha256").update(process.version);
  for (const input of inputs) hash.update(input).update(readFileSync(join(top, input)));
  const wanted = hash.digest("hex");
  const stampFile = join(top, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;
  console.error(`setup: ${command === "npm" ? "npm" : "tsc"} ${args.filter((arg) => !arg.includes("bin/tsc")).join(" ")} in ${folder}`);
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
}

function typescriptIn(folder) {
  const entries = readdirSync(join(top, folder), { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length));
  return files.filter((file) => !file.includes("node_modules") && !file.includes("dist/")).sort();
}
