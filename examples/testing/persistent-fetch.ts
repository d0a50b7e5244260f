import { isCancellation, sleep } from "creche";

/** Asks again and again, until there is an answer. */
export type Fetch = (ask: () => Promise<string>) => Promise<string>;

export const stubborn: Fetch = async (ask) => {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(10).catch(() => {}); // Wrong: a cancellation is caught as well, so nothing can ever end this.
    }
  }
};

export const patient: Fetch = async (ask) => {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (isCancellation(error)) throw error;
      await sleep(10);
    }
  }
};
