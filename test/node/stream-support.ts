import type { Readable, Writable } from "node:stream";

/** The events by which a stream says how it ends, as they come. */
export function eventsOf(stream: Readable | Writable): string[] {
  const seen: string[] = [];
  for (const event of ["end", "finish", "error", "close"]) stream.on(event, () => seen.push(event));
  return seen;
}

export async function closedOf(stream: Readable | Writable): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once("close", resolve));
}

/** How many listeners there are, by event, without those that Node's own constructors add. */
export function listenersOf(stream: Readable | Writable): Readonly<Record<string, number>> {
  const events = [
    "data",
    "readable",
    "end",
    "finish",
    "error",
    "close",
    "drain",
    "pause",
    "resume",
    "aborted",
    "complete",
    "abort",
    "request",
    "prefinish",
  ];
  return Object.fromEntries(events.map((event) => [event, stream.listenerCount(event)]).filter(([, count]) => count !== 0));
}
