/** Calls `onRejection` for each promise that is rejected with nobody to handle it, until the returned function is called. */
export function watchRejections(onRejection: (reason: unknown) => void): () => void {
  const { process, addEventListener, removeEventListener } = globalThis as unknown as Platform;
  if (typeof process?.on === "function") {
    process.on("unhandledRejection", onRejection);
    return () => process.off("unhandledRejection", onRejection);
  }
  if (typeof addEventListener !== "function") return () => {};
  const listener = (event: { readonly reason: unknown }) => onRejection(event.reason);
  addEventListener("unhandledrejection", listener);
  return () => removeEventListener?.("unhandledrejection", listener);
}

type Listen = (type: string, listener: (event: never) => void) => unknown;

interface Platform {
  readonly process?: { on?: Listen; off: Listen };
  readonly addEventListener?: Listen;
  readonly removeEventListener?: Listen;
}
