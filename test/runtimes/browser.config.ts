import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import base from "../vitest.config.js";
import { excluded } from "./skips.js";

// The suite in a browser, which has no ambient scope and nothing of Node: what tests take of `node:events`, `node:util` and `node:async_hooks` has stand-ins,
// files that need more are left out by name in skips.ts.

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const runtime = process.env["SUITE_RUNTIME"] ?? "chromium";
const isBoxed = process.env["SUITE_BOXED"] === "1";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const MORE = ["--disable-component-update", "--disable-sync", "--js-flags=--expose-gc"];

export default defineConfig({
  root: at("../.."),
  cacheDir: at("node_modules/.vite"),
  resolve: {
    alias: {
      ...(base.resolve?.alias as Record<string, string>),
      "#context": at("../../src/kernel/context.none.ts"),
      "node:events": at("browser/events.ts"),
      "node:util": at("browser/util.ts"),
      "node:async_hooks": at("browser/async-hooks.ts"),
    },
  },
  optimizeDeps: { include: ["fast-check"] },
  test: {
    ...base.test,
    root: at("../.."),
    typecheck: { enabled: false },
    isolate: false,
    provide: { ...base.test?.provide, runtime },
    setupFiles: [at("browser/globals.ts"), ...(base.test?.setupFiles ?? []), at("setup.ts")],
    exclude: ["**/node_modules/**", ...excluded(runtime, isBoxed)],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath: process.env["SUITE_BROWSER"] ?? "/usr/bin/chromium", args: [...FLAGS, ...MORE] },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});
