import type { CancelScope } from "../../src/index.js";
import { type Entry, isCancelled, type Outcome, type Place, type PlaceKind } from "./log.js";
import type { Statement } from "./program.js";
import { virtualNow } from "./virtual-now.js";

/** Writes the log of one run. */
export class Recorder {
  /** What happened, in order. */
  readonly log: Entry[] = [];
  /** In order of creation; the first is that of the run. */
  readonly places: Place[] = [];
  /** From which entry of the log on the scope of a place was seen to be cancelled. */
  readonly cancelledSince = new Map<Place, number>();

  place(kind: PlaceKind, parent: Place | undefined, scope: CancelScope, statement: Statement | undefined, target?: Place): Place {
    const place: Place = { id: this.places.length, kind, parent, scope, statement, target };
    this.places.push(place);
    return place;
  }

  note(what: Entry["what"], place: Place, statement?: Statement, outcome?: Outcome): void {
    const { scope } = place;
    for (const each of this.places) {
      if (!this.cancelledSince.has(each) && isCancelled(each.scope)) this.cancelledSince.set(each, this.log.length);
    }
    this.log.push({ what, place, at: virtualNow(scope), isCancelled: isCancelled(scope), statement, outcome });
  }

  /** Notes what becomes of a place, if it has come about. */
  async settling(of: () => Place | undefined, work: () => Promise<unknown>): Promise<void> {
    const settle = (outcome: Outcome) => {
      const place = of();
      if (place !== undefined) this.note("settle", place, undefined, outcome);
    };
    try {
      const value = await work();
      settle({ ok: true, value });
    } catch (error) {
      settle({ ok: false, error });
      throw error;
    }
  }
}
