import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import base from "../vitest.config.js";

// The suite on Node without an ambient scope: what fails here as well is not the browser's doing. ambient.ts writes it down.
export default defineConfig({
  ...base,
  resolve: {
    alias: {
      ...(base.resolve?.alias as Record<string, string>),
      "#context": fileURLToPath(new URL("../../src/kernel/context.none.ts", import.meta.url)),
    },
  },
  test: { ...base.test, maxWorkers: "100%", isolate: false, typecheck: { enabled: false }, testTimeout: 2_000 },
});
