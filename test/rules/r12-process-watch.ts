/** What the process was told about while something ran: errors that nobody handled. */
export interface Watched<T> {
  readonly value: T;
  readonly unhandled: readonly unknown[];
  readonly uncaught: readonly unknown[];
}

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;

/** Runs `body` in place of the test runner's own handlers, and until the process has had the chance to report all that is left of it. */
export async function watchProcess<T>(body: () => Promise<T>): Promise<Watched<T>> {
  const told: Record<(typeof EVENTS)[number], unknown[]> = { unhandledRejection: [], uncaughtException: [] };
  const others = EVENTS.map((event) => process.listeners(event as "uncaughtException"));
  const own = EVENTS.map((event) => (error: unknown) => void told[event].push(error));
  EVENTS.forEach((event, i) => {
    process.removeAllListeners(event);
    process.on(event, own[i] as () => void);
  });
  try {
    const value = await body();
    await turns(3);
    return { value, unhandled: told.unhandledRejection, uncaught: told.uncaughtException };
  } finally {
    EVENTS.forEach((event, i) => {
      process.removeListener(event, own[i] as () => void);
      for (const other of others[i] ?? []) process.on(event, other);
    });
  }
}

/** Lets the event loop turn `count` times: rejections are reported between its phases. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
