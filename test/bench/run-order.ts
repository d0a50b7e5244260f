import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Message, Order } from "./order.js";

export interface Measured {
  /** By entry: samples, or why there are none. */
  readonly samples: readonly (readonly number[])[];
  readonly failures: readonly (string | undefined)[];
}

const SAMPLE = fileURLToPath(new URL("sample.js", import.meta.url));
/** Until a contender has done its job once, in ms of the clock on the wall. */
const PROBE = 10_000;
/** Until all has been measured after that. */
const REST = 120_000;
export const TOO_SLOW = "> 10 s";

/** Measures in a process of its own. Who overflows, is wrong or takes too long is left out, and the others are measured without. */
export async function runOrder(node: string, order: Order): Promise<Measured> {
  const failures: (string | undefined)[] = order.entries.map(() => undefined);
  for (;;) {
    const present = order.entries.map((_, i) => i).filter((i) => failures[i] === undefined);
    if (present.length === 0 || failures[order.essential ?? -1] !== undefined) return { samples: order.entries.map(() => []), failures };
    const entries = present.map((i) => order.entries[i] as Order["entries"][number]);
    const { samples, culprit, failed } = await once(node, { ...order, entries });
    for (const [entry, why] of failed) failures[present[entry] as number] = why;
    if (samples !== undefined) return { samples: order.entries.map((_, i) => samples[present.indexOf(i)] ?? []), failures };
    if (culprit !== undefined) failures[present[culprit.entry] as number] ??= culprit.why;
  }
}

interface Once {
  readonly samples: readonly (readonly number[])[] | undefined;
  /** Whose turn it was when the process ended before it had said all. */
  readonly culprit: { readonly entry: number; readonly why: string } | undefined;
  readonly failed: ReadonlyMap<number, string>;
}

async function once(node: string, order: Order): Promise<Once> {
  const child = spawn(node, ["--expose-gc", "--no-warnings", SAMPLE, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const failed = new Map<number, string>();
  let samples: readonly (readonly number[])[] | undefined;
  let said = 0;
  let isLate = false;
  let errors = "";
  const late = () => {
    isLate = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(late, PROBE);
  child.stderr.on("data", (text) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.once("close", () => resolve());
    child.once("error", reject);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as Message;
    clearTimeout(timer);
    if (message.type === "samples") samples = message.samples;
    else {
      said++;
      if (message.type === "failed") failed.set(message.entry, message.why);
    }
    timer = setTimeout(late, said < order.entries.length ? PROBE : REST);
  }
  await closed;
  clearTimeout(timer);
  if (samples !== undefined) return { samples, culprit: undefined, failed };
  if (failed.size > 0 && !isLate) return { samples, culprit: undefined, failed };
  const entry = Math.min(said, order.entries.length - 1);
  const why = isLate ? TOO_SLOW : overflowed(errors) ? "stack overflow" : "it ended before it was done";
  return { samples, culprit: { entry, why }, failed };
}

function overflowed(errors: string): boolean {
  return errors.includes("Maximum call stack size exceeded");
}
