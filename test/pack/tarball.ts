import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { top } from "./top.js";

export interface Tarball {
  readonly path: string;
  readonly files: readonly string[];
  /** Bytes of the tarball, and of what is in it. */
  readonly packed: number;
  readonly unpacked: number;
}

/** What npm would publish of what is built in dist. */
export function packed(folder: string): Tarball {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [found] = JSON.parse(output("npm", args, top)) as readonly [
    {
      readonly filename: string;
      readonly size: number;
      readonly unpackedSize: number;
      readonly files: readonly { readonly path: string }[];
    },
  ];
  const files = found.files.map(({ path }) => path).sort();
  return { path: join(folder, found.filename), files, packed: found.size, unpacked: found.unpackedSize };
}

/** A project that has installed the tarball, and what else the programs import; and the programs. */
export function installed(tarball: Tarball): string {
  const folder = temporary();
  const home = join(folder, "node_modules/creche");
  mkdirSync(home, { recursive: true });
  output("tar", ["-xzf", tarball.path, "-C", home, "--strip-components", "1"], folder);
  for (const name of ["@types/node", "fast-check"]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(top, "node_modules", name), link, "dir");
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "installed", private: true, type: "module" }));
  cpSync(join(top, "test/pack/programs"), folder, { recursive: true });
  return folder;
}

export function temporary(): string {
  return mkdtempSync(join(tmpdir(), "creche-pack-"));
}

function output(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout;
}
