// The crawler: links wait in a channel, the frontier, and a few workers take them out, visit their pages, and put in what they find.
import { type MemorySendChannel, openMemoryChannel, openNursery } from "creche";
import type { Journal } from "./journal.js";
import type { Options } from "./options.js";
import { OutputFile } from "./output-file.js";
import { showProgress } from "./progress.js";
import { visitPage } from "./visit-page.js";

/** A page to visit. It holds the frontier open until it has been visited, because its links go there. */
interface Stop {
  readonly url: URL;
  readonly depth: number;
  readonly frontier: MemorySendChannel<Stop>;
}

/** Crawls the site of `start` until nothing is left to visit. Whatever ends it before, the journal and the file have what was learnt until then. */
export function crawl(start: URL, options: Options, journal: Journal): Promise<boolean> {
  return openNursery(
    async (nursery) => {
      const output = nursery.use(await OutputFile.create(options.out));
      nursery.startSoon(() => showProgress(journal), { name: "progress", background: true });
      // Unbounded, because the workers are both its producers and its consumers: were it full, all of them could wait to put something in.
      const { send, receive } = openMemoryChannel<Stop>(Number.POSITIVE_INFINITY);
      for (let i = 0; i < options.concurrency; i++) nursery.startSoon(worker);
      using frontier = send;
      follow(start, 0, frontier);
      return true;

      /** Near pages come before far ones: a channel keeps the order. It ends by itself when the last page has been visited. */
      function follow(url: URL, depth: number, frontier: MemorySendChannel<Stop>): void {
        if (journal.admit(url, depth, options)) frontier.sendNowait({ url, depth, frontier: frontier.clone() });
      }

      async function worker(): Promise<void> {
        for await (const stop of receive) {
          using frontier = stop.frontier;
          const entry = journal.open(stop.url, stop.depth);
          const { ending, links, text } = await visitPage(entry, options);
          journal.close(entry, ending, text);
          for (const link of links) follow(link, stop.depth + 1, frontier);
          await output.append(entry);
        }
      }
    },
    { name: "crawl" },
  );
}
