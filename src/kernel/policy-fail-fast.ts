import type { CancelPolicy } from "./policy.js";

/**
 * The policy of a nursery that is given none: the first failure of a task cancels the others. The nursery resolves to the value of its body, or throws
 * the failures: one as it is, several as an `ErrorGroup`.
 *
 * @example await openNursery(body, { policy: patient ? collect() : failFast() });
 *
 * Source: trio.Nursery; java.util.concurrent.StructuredTaskScope.Joiner.awaitAllSuccessfulOrThrow (JEP 505).
 */
export function failFast(): CancelPolicy {
  return { onSettled: ({ outcome }) => (outcome.state === "failed" ? "cancel" : "continue") };
}
