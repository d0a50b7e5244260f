/** An operation, as the search sees it. */
export interface Operation {
  readonly call: number;
  readonly ret: number;
  /** It may have had no effect at all. */
  readonly isOptional: boolean;
}

/** Which states may follow `state` if `operation` comes next. To be answered by `next(states)`. */
export interface Question<O extends Operation, S> {
  readonly operation: O;
  readonly state: S;
}

export interface Linearization<O extends Operation, S> {
  readonly verdict: "yes" | "no" | "undecided";
  /** The longest order that is right, if not of all of them; and the state at its end. */
  readonly order: readonly O[];
  readonly state: S;
}

interface Frame<O, S> {
  readonly operation: O;
  readonly index: number;
  /** The states to which it may have led, of which `at` is being looked at. */
  readonly states: readonly S[];
  at: number;
  /** What `first` and `latest` were before it. */
  readonly first: number;
  readonly latest: number;
}

/**
 * Looks for an order of the operations in which each comes between its call and its return, and is possible in the state to which those before it led.
 * It asks about that, so that the answer may take time.
 *
 * Source: Wing, Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for Linearizability (2017), for what is remembered.
 */
export function* linearize<O extends Operation, S>(
  given: readonly O[],
  init: S,
  keyOf: (state: S) => string,
  maxStates: number,
): Generator<Question<O, S>, Linearization<O, S>, readonly S[]> {
  const operations = [...given].sort((one, other) => one.call - other.call);
  const isPut = new Uint8Array(operations.length);
  /** What has been put, in order. */
  const stack: Frame<O, S>[] = [];
  /** Which sets of operations have led to which states: nothing else counts for what can come after. */
  const seen = new Set<string>();
  let missing = operations.filter(({ isOptional }) => !isOptional).length;
  let best: readonly O[] = [];
  let bestState = init;
  let state = init;
  /** The latest call of what is put: an optional operation that had returned before has had no effect. */
  let latest = Number.NEGATIVE_INFINITY;
  /** All before it are put, or had no effect. */
  let first = 0;
  /** From which one on those are tried that may come next. */
  let candidate = 0;

  const isClosed = (index: number): boolean => isPut[index] === 1 || (operations[index] as O).ret < latest;
  const isNew = (): boolean => {
    let key = `${first}:`;
    for (let i = first; i < operations.length && (operations[i] as O).call <= latest; i++) key += isClosed(i) ? "1" : "0";
    key += `:${keyOf(state)}`;
    const { size } = seen;
    return seen.add(key).size > size;
  };

  while (missing > 0) {
    let next: Frame<O, S> | undefined;
    // What comes next was called before any of the others that must come had returned.
    let end = Number.POSITIVE_INFINITY;
    for (let i = first; next === undefined && i < operations.length && (operations[i] as O).call < end; i++) {
      const operation = operations[i] as O;
      if (isClosed(i)) continue;
      if (!operation.isOptional) end = Math.min(end, operation.ret);
      if (i < candidate) continue;
      const states = yield { operation, state };
      if (states.length > 0) next = { operation, index: i, states, at: -1, first, latest };
    }
    if (next !== undefined) {
      stack.push(next);
      isPut[next.index] = 1;
      if (!next.operation.isOptional) missing--;
      latest = Math.max(latest, next.operation.call);
      while (first < operations.length && isClosed(first)) first++;
    }
    const top = stack.at(-1);
    if (top === undefined) return { verdict: "no", order: best, state: bestState };
    // Its next state; the one before, if there is one, leads nowhere.
    do {
      state = top.states[++top.at] as S;
    } while (top.at < top.states.length && !isNew());
    if (top.at < top.states.length) {
      candidate = 0;
      if (stack.length > best.length) {
        best = stack.map(({ operation }) => operation);
        bestState = state;
      }
    } else {
      stack.pop();
      isPut[top.index] = 0;
      if (!top.operation.isOptional) missing++;
      ({ first, latest } = top);
      const below = stack.at(-1);
      state = below === undefined ? init : (below.states[below.at] as S);
      candidate = top.index + 1;
    }
    if (seen.size > maxStates) return { verdict: "undecided", order: best, state: bestState };
  }
  return { verdict: "yes", order: stack.map(({ operation }) => operation), state };
}
