import { describe } from "./describe.js";

/**
 * Several errors that happened side by side, in order of occurrence. It never holds a cancellation.
 *
 * @example
 * try {
 *   await openNursery(async (nursery) => { ... });
 * } catch (error) {
 *   for (const leaf of leaves(error)) log(leaf);
 * }
 */
export class ErrorGroup extends AggregateError {
  override readonly name = "ErrorGroup";

  constructor(errors: readonly unknown[], where: string, options?: ErrorOptions) {
    super([...errors], summary(errors, where), options);
  }

  /** All errors that are no groups themselves, in order, however deep the groups are nested. */
  leaves(): unknown[] {
    return leaves(this);
  }

  /**
   * Parts the group in two of the same structure: what `predicate` holds for, and the rest. A part without a leaf is `undefined`.
   * The predicate sees leaves only. The group itself is left as it is.
   */
  split(predicate: (error: unknown) => boolean): [matching: ErrorGroup | undefined, rest: ErrorGroup | undefined] {
    const order: AggregateError[] = [];
    const pending: AggregateError[] = [this];
    for (let group = pending.pop(); group !== undefined; group = pending.pop()) {
      order.push(group);
      for (const error of group.errors) if (error instanceof AggregateError) pending.push(error);
    }
    const matching = new Map<AggregateError, ErrorGroup>();
    const rest = new Map<AggregateError, ErrorGroup>();
    // Children come after their parents in `order`, so the parts are made from its end: no recursion, whatever the depth.
    for (let i = order.length - 1; i >= 0; i--) {
      const group = order[i] as AggregateError;
      const yes: unknown[] = [];
      const no: unknown[] = [];
      for (const error of group.errors) {
        if (!(error instanceof AggregateError)) (predicate(error) ? yes : no).push(error);
        else {
          const match = matching.get(error);
          const other = rest.get(error);
          if (match) yes.push(match);
          if (other) no.push(other);
        }
      }
      if (yes.length > 0) matching.set(group, new ErrorGroup(yes, "part of a group", { cause: group.cause }));
      if (no.length > 0) rest.set(group, new ErrorGroup(no, "part of a group", { cause: group.cause }));
    }
    return [matching.get(this), rest.get(this)];
  }
}

/** The leaves of any error: those of a group (also of a plain `AggregateError`) in order, or the error itself. */
export function leaves(error: unknown): unknown[] {
  const found: unknown[] = [];
  const pending: unknown[] = [error];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const next = pending.pop();
    if (!(next instanceof AggregateError)) found.push(next);
    else if (!seen.has(next)) {
      seen.add(next);
      for (let i = next.errors.length - 1; i >= 0; i--) pending.push(next.errors[i]);
    }
  }
  return found;
}

const SHOWN = 3;

function summary(errors: readonly unknown[], where: string): string {
  const shown = errors.slice(0, SHOWN).map(describe).join("; ");
  const more = errors.length > SHOWN ? `; and ${errors.length - SHOWN} more` : "";
  return `${errors.length} ${errors.length === 1 ? "error" : "errors"} in ${where} (${shown}${more})`;
}
