// The demo site: a web server as a task. Its requests are tasks too, and end with whoever asked, or with the site.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { openNursery, sleep, sleepForever, type Task } from "creche";
import { findDocuments } from "./documents.js";
import { type Answer, hiddenPages, oddPages, reply } from "./odd-pages.js";
import { type Pages, sitePages } from "./site-pages.js";

/** A task for `nursery.start()`: serves the site on a free port of this machine until it is cancelled. It has started when it listens. */
export function serveDemo(documents: number) {
  return async function demoSite(_: Task, started: (home: URL) => void): Promise<never> {
    const odd = oddPages();
    const pages = sitePages(await findDocuments(documents), [...odd.keys()]);
    return openNursery<never>(async (requests) => {
      const server = createServer((request, response) => {
        const path = request.url ?? "/";
        const answer = odd.get(path) ?? hiddenPages.get(path) ?? regular(pages, path);
        requests.startSoon((own) => serve(own, response, answer), { name: path });
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      requests.use(server);
      // The server ends with its last connection, and clients keep some open for later.
      requests.defer(() => server.closeAllConnections());
      started(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
      return sleepForever();
    });
  };
}

/** Whoever hangs up needs no answer any more. And however it ends, nobody is left waiting for one. */
async function serve(request: Task, response: ServerResponse, answer: Answer): Promise<void> {
  response.on("close", () => request.cancel("the client has hung up"));
  request.defer(() => response.writableEnded || response.destroy());
  await answer(request, response);
}

/** Each page has a delay of its own, as on a network. */
function regular(pages: Pages, path: string): Answer {
  return async (_, response) => {
    await sleep(10 + ([...path].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 50));
    const html = await pages(path);
    if (html === undefined) reply(response, 404, "There is no such page");
    else reply(response, 200, path, html);
  };
}
