import { check } from "./check.js";
import { readCases } from "./read-cases.js";

const USAGE = "usage: npm run -s conformance -- FILE.jsonl... [--strict]\n  --strict: the cases were recorded with strict groups";

async function main(args: readonly string[]): Promise<number> {
  const files = args.filter((arg) => !arg.startsWith("--"));
  const options = args.filter((arg) => arg.startsWith("--"));
  if (files.length === 0 || options.some((option) => option !== "--strict")) {
    console.error(USAGE);
    return 2;
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    for (const recorded of readCases(file)) {
      const { id, state, difference } = await check(recorded, { isStrict: options.includes("--strict") });
      counts[state]++;
      if (state === "failed") console.log(`${id}: ${difference}`);
    }
  }
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
