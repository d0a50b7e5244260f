import { siteOf } from "../../kernel/site.js";

/** The place in the user's code that is being executed, as `file:line:column`. */
export function siteHere(): string | undefined {
  const { stackTraceLimit } = Error;
  // Through the library, and a few frames of the user's.
  Error.stackTraceLimit = 20;
  const line = siteOf(new Error());
  Error.stackTraceLimit = stackTraceLimit;
  // The end of a nursery is waited for on a stack that has no code of the user.
  return line === undefined || line.includes("site-here") ? undefined : shortened(line);
}

/** `at take (file:///home/me/test/pool.test.ts:12:5)` to `pool.test.ts:12:5`. */
function shortened(line: string): string {
  const place = /([^/\\() ]+:\d+:\d+)\)?$/.exec(line);
  return place?.[1] ?? line.replace(/^at /, "");
}
