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
    const matching = new Map<unknown, ErrorGroup>();
    const rest = new Map<unknown, ErrorGroup>();
    for (const group of innermostFirst(this)) {
      const yes: unknown[] = [];
      const no: unknown[] = [];
      for (const error of membersOf(group) as readonly unknown[]) {
        if (membersOf(error) === undefined) (predicate(error) ? yes : no).push(error);
        else {
          const [match, other] = [matching.get(error), rest.get(error)];
          if (match !== undefined) yes.push(match);
          if (other !== undefined) no.push(other);
        }
      }
      if (yes.length > 0) matching.set(group, new ErrorGroup(yes, "part of a group", { cause: group }));
      if (no.length > 0) rest.set(group, new ErrorGroup(no, "part of a group", { cause: group }));
    }
    return [matching.get(this), rest.get(this)];
  }
}

/** All aggregates in `root`, each once and after those that are in it: without recursion, whatever the depth, and also if one holds itself. */
function innermostFirst(root: unknown): unknown[] {
  const order: unknown[] = [];
  const seen = new Set<unknown>([root]);
  const open: { readonly group: unknown; readonly inside: Iterator<unknown> }[] = [{ group: root, inside: groupsIn(root) }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value: group, done } = top.inside.next();
    if (done) {
      order.push(top.group);
      open.pop();
    } else if (!seen.has(group)) {
      seen.add(group);
      open.push({ group, inside: groupsIn(group) });
    }
  }
  return order;
}

function groupsIn(group: unknown): Iterator<unknown> {
  return (membersOf(group) ?? []).filter((error) => membersOf(error) !== undefined).values();
}

/** The errors that an aggregate or a SuppressedError stands for, in order; `undefined` for any other value. It never throws. */
export function membersOf(error: unknown): readonly unknown[] | undefined {
  try {
    if (!(error instanceof Error)) return undefined;
    const { errors, name, error: kept, suppressed } = error as unknown as Readonly<Record<string, unknown>>;
    if (Array.isArray(errors)) return errors;
    return name === "SuppressedError" ? [kept, suppressed] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The leaves of any error: those of a group, an aggregate or a SuppressedError, in order, however deep they are; or the error itself. It never throws, whatever it
 * is given.
 *
 * @example for (const leaf of leaves(error)) log(leaf);
 */
export function leaves(error: unknown): unknown[] {
  const found: unknown[] = [];
  const pending: unknown[] = [error];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const next = pending.pop();
    const members = membersOf(next);
    if (members === undefined) found.push(next);
    else if (!seen.has(next)) {
      seen.add(next);
      for (let i = members.length - 1; i >= 0; i--) pending.push(members[i]);
    }
  }
  return found;
}

const SHOWN = 3;

function summary(errors: readonly unknown[], where: string): string {
  if (errors.length === 0) return `0 errors in ${where}`;
  const shown = errors.slice(0, SHOWN).map(describe).join("; ");
  const more = errors.length > SHOWN ? `; and ${errors.length - SHOWN} more` : "";
  return `${errors.length} ${errors.length === 1 ? "error" : "errors"} in ${where} (${shown}${more})`;
}
