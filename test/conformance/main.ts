import { parseArgs } from "node:util";
import { check } from "./check.js";
import { readCases } from "./read-cases.js";

const USAGE = `usage: npm run -s conformance -- FILE.jsonl... [--strict] [--schedules K]
  --strict: the cases were recorded with strict groups
  --schedules K: each case also under K random schedules, and the trace has to be the same`;

interface Arguments {
  readonly files: readonly string[];
  readonly isStrict: boolean;
  readonly schedules: number;
}

function argumentsOf(args: string[]): Arguments | undefined {
  try {
    const options = { strict: { type: "boolean", default: false }, schedules: { type: "string", default: "0" } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const schedules = /^\d+$/.test(values.schedules) ? Number(values.schedules) : Number.NaN;
    if (positionals.length === 0 || Number.isNaN(schedules)) return undefined;
    return { files: positionals, isStrict: values.strict, schedules };
  } catch {
    return undefined;
  }
}

async function main(args: string[]): Promise<number> {
  const given = argumentsOf(args);
  if (given === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { files, isStrict, schedules } = given;
  const counts = { passed: 0, failed: 0 };
  for (const file of files) {
    for (const recorded of readCases(file)) {
      const { id, state, difference } = await check(recorded, { isStrict, schedules });
      counts[state]++;
      if (state === "failed") console.log(`${id}: ${difference}`);
    }
  }
  const how = schedules === 0 ? "" : `, each also under ${schedules} random schedules`;
  console.log(`${counts.passed} passed, ${counts.failed} failed${how}`);
  return counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
