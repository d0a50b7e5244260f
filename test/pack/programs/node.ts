import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import { openMemoryChannel, run } from "creche";
import { fromReadable, toReadable, toWritable } from "creche/node";
import { cancellation, schedule } from "creche/testing/fast-check";

export const lines: readonly string[] = await run(async (nursery) => {
  // A scope is an options bag for the platform's own functions.
  await readFile(new URL(import.meta.url), nursery);
  await promisify(execFile)(process.execPath, ["--version"], { signal: nursery.signal });
  const [send, receive] = openMemoryChannel<string>(1);
  const writable: Writable = toWritable(send, nursery);
  const readable: Readable = toReadable(receive, nursery);
  writable.end("x");
  const found: string[] = [];
  for await (const text of fromReadable<string>(readable, nursery)) found.push(text);
  return found;
});

export const arbitraries = [cancellation(), schedule()] as const;
