import fc from "fast-check";

// fast-check for a run under `--within`: fc.assert() does a share of its runs. What names its seed is left as it is, because then a known run is meant.

export * from "fast-check";

/** A property is tried a fifth as often. */
export const SHARE = 0.2;
const LEAST = 10;

const assert = (<T>(property: fc.IRawProperty<T>, parameters?: fc.Parameters<T>) => {
  const runs = parameters?.numRuns ?? 100;
  const isKnown = parameters?.seed !== undefined || parameters?.examples !== undefined;
  const numRuns = isKnown ? runs : Math.min(runs, Math.max(LEAST, Math.ceil(runs * SHARE)));
  return fc.assert(property, { ...parameters, numRuns });
}) as typeof fc.assert;

export default { ...fc, assert };
export { assert };
