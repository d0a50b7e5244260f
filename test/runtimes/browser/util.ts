/** Stands in for Node's, so that files load of which a test or two inspect something; those are skipped. */
export const inspect = Object.assign(absent, { custom: Symbol.for("nodejs.util.inspect.custom") });
export const isDeepStrictEqual = absent;
export const promisify = absent;

function absent(): never {
  throw new Error("browsers have no node:util");
}
