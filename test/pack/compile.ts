import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { top } from "./top.js";

/** The project's own, and the oldest that README promises. */
export const compilers = { "7.0": "node_modules/typescript", "5.6": "test/pack/node_modules/typescript-5.6" } as const;
export const resolutions = ["node16", "nodenext", "bundler"] as const;

/** Where a program is to run, as its settings say it. Each has AbortSignal, streams and the like from somewhere else. */
export const environments = {
  browsers: { settings: { lib: ["ES2022", "DOM"], types: [] }, programs: ["core.ts", "testing.ts"] },
  "web workers": { settings: { lib: ["ES2022", "WebWorker"], types: [] }, programs: ["core.ts", "testing.ts"] },
  Node: { settings: { lib: ["ES2022"], types: ["node"] }, programs: ["core.ts", "testing.ts", "node.ts"] },
  "Node and DOM": { settings: { lib: ["ES2022", "DOM"], types: ["node"] }, programs: ["core.ts", "testing.ts", "node.ts"] },
  "nothing said": { settings: {}, programs: ["core.ts"] },
} as const;

export interface Setting {
  readonly compiler: keyof typeof compilers;
  readonly resolution: (typeof resolutions)[number];
  readonly environment: keyof typeof environments;
}

export const settings: readonly Setting[] = (Object.keys(compilers) as (keyof typeof compilers)[]).flatMap((compiler) =>
  (Object.keys(environments) as (keyof typeof environments)[]).flatMap((environment) =>
    resolutions.map((resolution) => ({ compiler, resolution, environment })),
  ),
);

/** The complaints of a compiler about the programs, and about the declarations of the package, in the strictest way there is. */
export async function complaints(folder: string, { compiler, resolution, environment }: Setting): Promise<readonly string[]> {
  const { settings, programs } = environments[environment];
  const config = join(folder, `${compiler}-${resolution}-${environment.replaceAll(" ", "-")}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...strictest(resolution), ...settings }, files: programs }));
  const tsc = join(top, compilers[compiler], "bin/tsc");
  const child = spawn(process.execPath, [tsc, "-p", config, "--pretty", "false"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  const lines = said.split("\n").filter((line) => line.includes("error TS"));
  if (code !== 0 && lines.length === 0) throw new Error(`tsc ended with ${code}: ${said}`);
  return lines;
}

function strictest(moduleResolution: string): object {
  return {
    target: "ES2022",
    module: moduleResolution === "bundler" ? "ESNext" : moduleResolution,
    moduleResolution,
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    skipLibCheck: false,
  };
}
