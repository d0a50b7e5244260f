import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(new URL("../../../test/bench/package.json", import.meta.url));

/** A library of the bench's own package.json. It is not there when the tests check the types, so the caller says what of it is used. */
export async function peer<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(resolve(name)).href)) as T;
}
