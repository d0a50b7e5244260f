import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { seedOf } from "./support/seed.js";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  // Tests run the sources, not the build.
  resolve: {
    alias: {
      "#context": at("src/kernel/context.node.ts"),
      "creche/node": at("src/node/index.ts"),
      "creche/testing/fast-check": at("src/testing/fast-check/index.ts"),
      "creche/testing": at("src/testing/index.ts"),
      creche: at("src/index.ts"),
    },
  },
  test: {
    root: at("."),
    include: ["test/**/*.test.ts"],
    pool: "forks",
    execArgv: ["--expose-gc"],
    testTimeout: 60_000,
    provide: { seed: seedOf(process.env["SEED"]) },
    setupFiles: [at("test/support/use-seed.ts")],
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: at("tsconfig.json"), ignoreSourceErrors: false },
    coverage: {
      provider: "v8",
      include: ["src/kernel/**"],
      // What is built is run by the tests of the package and of the examples, and is the same code once more.
      exclude: ["dist/**"],
      reportsDirectory: at("coverage"),
      reporter: ["text", "json-summary"],
      thresholds: { branches: 98 },
    },
  },
});
