import { outwards, type Place } from "./log.js";
import type { Ref } from "./program.js";

/** Those that a `Ref` chooses among, for code in `place`; the run is always one of them. */
function chosen(places: readonly Place[], place: Place, { among, n }: Ref, isMeant: (place: Place) => boolean): Place {
  const meant = (among === "around" ? [...outwards(place)] : [...places].reverse()).filter(isMeant);
  return meant[n % meant.length] as Place;
}

export function scopeOf(places: readonly Place[], place: Place, ref: Ref): Place {
  return chosen(places, place, ref, ({ kind }) => kind !== "floating" && kind !== "start");
}

export function nurseryOf(places: readonly Place[], place: Place, ref: Ref): Place {
  return chosen(places, place, ref, ({ kind }) => kind === "nursery" || kind === "run");
}

/** A task that the code is not in itself: to join that would be misuse. */
export function peerOf(places: readonly Place[], place: Place, n: number): Place | undefined {
  const inside = new Set(outwards(place));
  const peers = places.filter((other) => other.kind === "task" && !inside.has(other)).reverse();
  return peers[n % peers.length];
}
