import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { compilers, complaints, environments, resolutions, settings } from "./compile.js";
import { resultOf } from "./entries.js";
import { aligned, bytes } from "./table.js";
import { installed, packed, temporary } from "./tarball.js";
import { attwOn, publintOn } from "./verdicts.js";

// Packs the package, installs it elsewhere, and holds it against publint, @arethetypeswrong, and compilers in many settings.
//
// usage: npm run package

const tarball = packed(temporary());
const folder = installed(tarball);
const faults: string[] = [];

try {
  console.log(`${tarball.files.length} files, ${bytes(tarball.packed)} bytes packed, ${bytes(tarball.unpacked)} unpacked\n`);
  judged("publint", await publintOn(tarball, folder));
  judged("@arethetypeswrong (ES modules only)", await attwOn(tarball));
  for (const [program, name] of [
    ["core", "told"],
    ["testing", "slept"],
    ["node", "lines"],
  ] as const) {
    judged(`programs/${program}.ts runs`, (await resultOf(folder, program, name)) === undefined ? ["it printed nothing"] : []);
  }
  console.log("\ncompiles, in the strictest settings and without skipLibCheck:\n");
  console.log(await compiled());
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(dirname(tarball.path), { recursive: true, force: true });
}
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

function judged(name: string, found: readonly string[]): void {
  console.log(`${found.length === 0 ? "ok   " : "WRONG"}  ${name}`);
  faults.push(...found.map((fault) => `${name}: ${fault}`));
}

async function compiled(): Promise<string> {
  const verdicts = new Map<string, string>();
  for (const setting of settings) {
    const found = await complaints(folder, setting);
    const { compiler, environment, resolution } = setting;
    verdicts.set(`${compiler} ${environment} ${resolution}`, found.length === 0 ? "ok" : `${found.length} errors`);
    faults.push(...found.map((line) => `TypeScript ${compiler}, ${resolution}, ${environment}: ${line}`));
  }
  const rows = Object.keys(compilers).flatMap((compiler) =>
    Object.keys(environments).map((environment) => [
      `TypeScript ${compiler}, ${environment}`,
      ...resolutions.map((resolution) => verdicts.get(`${compiler} ${environment} ${resolution}`) ?? ""),
    ]),
  );
  return aligned([["moduleResolution", ...resolutions], ...rows]);
}
