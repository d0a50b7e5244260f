// The crawler: every link that is found becomes a task of one nursery, and a limiter says how many of them work at a time.
import { CapacityLimiter, openNursery } from "creche";
import type { Journal } from "./journal.js";
import type { Options } from "./options.js";
import { OutputFile } from "./output-file.js";
import { showProgress } from "./progress.js";
import { visitPage } from "./visit-page.js";

/** Crawls the site of `start` until nothing is left to visit. Whatever ends it before, the journal and the file have what was learnt until then. */
export function crawl(start: URL, options: Options, journal: Journal): Promise<boolean> {
  return openNursery(
    async (frontier) => {
      const output = frontier.use(await OutputFile.create(options.out));
      const limiter = new CapacityLimiter(options.concurrency);
      frontier.startSoon(() => showProgress(journal), { name: "progress", background: true });
      follow(start, 0);
      return true;

      /** The limiter serves tasks in the order of their starts, so near pages come before far ones. */
      function follow(link: URL, depth: number): void {
        if (!journal.admit(link, depth, options)) return;
        frontier.startSoon(() => limiter.run(() => visit(link, depth)), { name: link.pathname + link.search });
      }

      async function visit(url: URL, depth: number): Promise<void> {
        const entry = journal.open(url, depth);
        const { ending, links, text } = await visitPage(entry, options);
        journal.close(entry, ending, text);
        for (const link of links) follow(link, depth + 1);
        await output.append(entry);
      }
    },
    { name: "crawl" },
  );
}
