// One page, with all the patience it gets: some attempts, and one deadline over them.
import { failAfter, TimeoutError } from "creche";
import { fetchPage } from "./fetch-page.js";
import type { Ending, Entry } from "./journal.js";
import type { Options } from "./options.js";
import { PageError } from "./page-error.js";
import { retry } from "./retry.js";

export interface Visited {
  readonly ending: Ending;
  readonly links: readonly URL[];
  readonly text: string;
}

/** Visits a page. A page that fails is a result like another, and no error: nothing else ends because of it. */
export async function visitPage(entry: Entry, { pageTimeout, maxBytes }: Options): Promise<Visited> {
  try {
    return await failAfter(pageTimeout, (scope) =>
      retry(
        () => {
          entry.attempts++;
          return fetchPage(entry.url, maxBytes, scope);
        },
        { attempts: 4, delay: 100, isTransient: (error) => error instanceof PageError && error.isTransient },
      ),
    );
  } catch (error) {
    if (error instanceof TimeoutError) return failure("timeout", `it took longer than ${pageTimeout} ms`);
    if (error instanceof PageError) return failure(error.kind, error.message);
    // A cancellation, which is not ours to catch; or a defect of this program, which ends the job.
    throw error;
  }
}

function failure(problem: string, why: string): Visited {
  return { ending: { outcome: "failed", problem, why }, links: [], text: "" };
}
