import { beforeEach, inject } from "vitest";
import { skipOf } from "./skips.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The name of the runtime, as skips.ts has it. */
    runtime: string;
  }
}

// Runs in the runtime itself, before each test: what skips.ts names is skipped with its reason.
beforeEach(({ task, skip }) => {
  const names = [task.name];
  for (let suite = task.suite; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  const found = skipOf(inject("runtime"), `test/${task.file.filepath.split("/test/").at(-1)}`, names.join(" ").trim());
  if (found !== undefined) skip(found.reason);
});
