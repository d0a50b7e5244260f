const HOPS = 8;

/** How a rejection relates to the reason of the signal, in a few words. */
export function rejectionOf(error: unknown, { aborted, reason }: AbortSignal): string {
  if (!aborted) return shapeOf(error);
  if (error === reason) return "the reason itself";
  let hops = 0;
  for (let next = causeOf(error); next !== undefined && next !== null && hops < HOPS; hops++, next = causeOf(next)) {
    if (next === reason) return `${shapeOf(error)}, ${hops === 0 ? "its cause" : "in its causes"} the reason`;
  }
  const cause = causeOf(error);
  return cause instanceof Error ? `${shapeOf(error)}, caused by ${shapeOf(cause)}` : shapeOf(error);
}

/** An error's name, or its class if that says more, and its code. */
export function shapeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { name, code } = error as { name?: unknown; code?: unknown };
  const label = name === "Error" ? error.constructor.name : String(name);
  return code === undefined ? label : `${label} ${String(code)}`;
}

/** An error with its message and its causes, in one line. */
export function describe(error: unknown): string {
  const cause = causeOf(error);
  const message = (error as { message?: unknown } | undefined)?.message;
  const text = `${shapeOf(error)}: ${String(message).split("\n", 1)[0]}`;
  return cause === undefined ? text : `${text} (caused by ${describe(cause)})`;
}

function causeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? (error as { cause?: unknown }).cause : undefined;
}
