// Ctrl-C as a cancellation.
import { CancelScope } from "creche";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
export type Interrupt = (typeof SIGNALS)[number];

/** Runs `body` until it ends, or until the process is told to stop: then everything in it is cancelled, and the signal returned. */
export async function untilInterrupted(body: () => Promise<unknown>): Promise<Interrupt | undefined> {
  const scope = new CancelScope({ name: "until interrupted" });
  let received: Interrupt | undefined;
  const interrupt = (signal: Interrupt) => {
    stopListening();
    received = signal;
    scope.cancel(signal);
  };
  // From the first signal on nobody listens, so that a second one ends the process on the spot.
  const stopListening = () => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    await scope.run(body);
  } finally {
    stopListening();
  }
  return scope.cancelledCaught ? received : undefined;
}
