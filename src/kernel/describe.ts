const LONGEST = 160;

/** One line about any thrown or passed value, for messages. It never throws, whatever the value does when it is looked at. */
export function describe(value: unknown): string {
  try {
    const text = value instanceof Error ? `${value.name}: ${value.message}` : plain(value);
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
  } catch {
    return "a value that cannot be described";
  }
}

function plain(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return value.name ? `function ${value.name}` : "a function";
  if (typeof value === "object" && value !== null) {
    const name = value.constructor?.name;
    return name && name !== "Object" ? `a ${name}` : "an object";
  }
  return String(value);
}
