import { UsageError } from "../../index.js";
import type { Departures } from "../engine/departures.js";

/**
 * A schedule as text: the letter of its base order (a capital one where time does not race), the seed if it is not 0 (`~3`), the departures as gaps between their points, each with the way taken
 * where that is not 1 (`2+3`), and a checksum of the run: `r:1#c6k`. Numbers are in base 36.
 */
export function encode({ base, timeRaces, seed, picks }: Departures, checksum: number): string {
  let next = 0;
  const parts = picks.map(([point, pick]) => {
    const gap = point - next;
    next = point + 1;
    return pick === 1 ? gap.toString(36) : `${gap.toString(36)}+${pick.toString(36)}`;
  });
  const seeded = seed === 0 ? "" : `~${(seed >>> 0).toString(36)}`;
  const letter = base === "run" ? "r" : "f";
  return `${timeRaces ? letter : letter.toUpperCase()}${seeded}:${parts.join(".")}#${short(checksum)}`;
}

/** Three characters of a checksum. */
export function short(checksum: number): string {
  return (checksum % 36 ** 3).toString(36).padStart(3, "0");
}

export interface Decoded {
  readonly departures: Departures;
  /** `undefined` where the code has none: then any run will do. */
  readonly checksum: string | undefined;
}

/** @throws UsageError if the text is no such code */
export function decode(code: string): Decoded {
  const match =
    typeof code === "string"
      ? /^([rfRF])(?:~([0-9a-z]+))?:([0-9a-z]+(?:\+[0-9a-z]+)?(?:\.[0-9a-z]+(?:\+[0-9a-z]+)?)*)?(?:#([0-9a-z]{3}))?$/.exec(code)
      : null;
  if (match === null) throw new UsageError(`"${String(code)}" is no schedule: one looks like r:1#c6k, as reports print it`);
  const [, base = "", seed = "0", list = "", checksum] = match;
  const isRun = base.toLowerCase() === "r";
  let next = 0;
  const picks = (list === "" ? [] : list.split(".")).map((part) => {
    const [gap = "", pick = "1"] = part.split("+");
    const point = next + Number.parseInt(gap, 36);
    next = point + 1;
    return [point, Number.parseInt(pick, 36)] as const;
  });
  return {
    departures: { base: isRun ? "run" : "fifo", timeRaces: base === base.toLowerCase(), seed: Number.parseInt(seed, 36) | 0, picks },
    checksum,
  };
}
