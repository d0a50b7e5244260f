import { readFileSync } from "node:fs";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import type { Tarball } from "./tarball.js";
import { manifestIn } from "./top.js";

/** What publint has to say, its suggestions too. */
export async function publintOn(tarball: Tarball, installed: string): Promise<readonly string[]> {
  const { messages } = await publint({ pack: { tarball: contentsOf(tarball) }, strict: true });
  const manifest = manifestIn(installed);
  return messages.map((message) => formatMessage(message, manifest) ?? message.code);
}

/** The package is of ES modules only: what finds no types in the ways of CommonJS, and of TypeScript before `exports`, is as meant. */
const NOT_OURS = ["node10", "node16-cjs"];

export async function attwOn(tarball: Tarball): Promise<readonly string[]> {
  const found = await checkPackage(createPackageFromTarballData(new Uint8Array(contentsOf(tarball))));
  if (found.types === false) return ["it has no types"];
  return found.problems
    .filter((problem) => !("resolutionKind" in problem && NOT_OURS.includes(problem.resolutionKind)))
    .map((problem) => JSON.stringify(problem));
}

function contentsOf({ path }: Tarball): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer;
}
