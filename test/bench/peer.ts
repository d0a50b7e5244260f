const { load } = (await import(new URL("../../../test/bench/load.mjs", import.meta.url).href)) as {
  readonly load: (name: string) => Promise<unknown>;
};

/** A library of the bench's own package.json. It is not there when the tests check the types, so the caller says what of it is used. */
export async function peer<T>(name: string): Promise<T> {
  return (await load(name)) as T;
}
