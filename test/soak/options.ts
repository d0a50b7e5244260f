import { parseArgs } from "node:util";
import { LEAKS, type Leak } from "./leaks.js";

export interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly clients: number;
  readonly leak: Leak | undefined;
}

/** @throws TypeError for what is not understood */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: "string" }, minutes: { type: "string" }, clients: { type: "string" }, leak: { type: "string" } },
  });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : number("seed", values.seed, 0);
  const leak = LEAKS.find((kind) => kind === values.leak);
  if (leak !== values.leak) throw new TypeError(`--leak is one of ${LEAKS.join(", ")}, not ${values.leak}`);
  return { seed, minutes: number("minutes", values.minutes ?? "1", 0.01), clients: number("clients", values.clients ?? "16", 1), leak };
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least) || value === Number.POSITIVE_INFINITY)
    throw new TypeError(`--${name} is a number from ${least}, not ${text}`);
  return value;
}
