import { sleep } from "creche";

export interface Patience {
  /** How often it is tried at most. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; they double each time. */
  readonly delay: number;
  /** Whether an error may be gone the next time. A cancellation never is. */
  readonly isTransient: (error: unknown) => boolean;
  /** From 0 to 1: what share of the second half of each delay is taken, so that those who failed together do not come back together. */
  readonly random?: () => number;
}

/** Tries again, with exponential backoff, as long as the error is transient. Between two attempts it sleeps in the ambient scope. */
export async function retry<T>(attempt: () => Promise<T>, { attempts, delay, isTransient, random = Math.random }: Patience): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (n === attempts || !isTransient(error)) throw error;
    }
    await sleep(delay * 2 ** (n - 1) * (0.5 + random() / 2));
  }
}
