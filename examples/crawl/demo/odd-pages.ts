// What a crawler meets in the wild, one page for each.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { sleep, sleepForever, type Task } from "creche";
import { htmlPage } from "./html.js";

/** Answers a request. When the client hangs up, the request's task is cancelled. */
export type Answer = (request: Task, response: ServerResponse) => Promise<unknown>;

/** Where a redirect leads. */
export const hiddenPages: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/odd/new-home", async (_, response) => reply(response, 200, "Here it is now")],
  ["/odd/loop?again", async (_, response) => redirect(response, "/odd/loop")],
]);

export function oddPages(): ReadonlyMap<string, Answer> {
  let visitsOfFlaky = 0;
  return new Map<string, Answer>([
    ["/odd/slow", async (_, response) => sleep(400).then(() => reply(response, 200, "It took a while"))],
    ["/odd/stuck", async () => sleepForever()],
    ["/odd/drip", drip],
    ["/odd/flood", flood],
    [
      "/odd/flaky",
      async (_, response) => (++visitsOfFlaky < 3 ? reply(response, 503, "Not yet") : reply(response, 200, "Third time lucky")),
    ],
    ["/odd/broken", async (_, response) => reply(response, 500, "It never works")],
    ["/odd/cut", cut],
    ["/odd/gone", async (_, response) => reply(response, 404, "Gone")],
    ["/odd/moved", async (_, response) => redirect(response, "/odd/new-home")],
    ["/odd/loop", async (_, response) => redirect(response, "/odd/loop?again")],
    ["/odd/away", async (_, response) => redirect(response, "http://elsewhere.invalid/")],
    ["/odd/picture", async (_, response) => response.writeHead(200, { "content-type": "image/png" }).end(Buffer.alloc(1_000))],
  ]);
}

export function reply(response: ServerResponse, status: number, title: string, html = htmlPage(title, "")): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(html);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}

/** A little, for ever. */
async function drip(_: Task, response: ServerResponse): Promise<never> {
  response.writeHead(200, { "content-type": "text/html" });
  for (;;) {
    response.write("<p>drip</p>");
    await sleep(100);
  }
}

/** A lot, for ever, as fast as the client takes it. */
async function flood(request: Task, response: ServerResponse): Promise<never> {
  response.writeHead(200, { "content-type": "text/html" });
  const block = `<p>${"flood ".repeat(4_000)}</p>`;
  for (;;) if (!response.write(block)) await once(response, "drain", request);
}

/** The connection breaks in the middle of the page. */
async function cut(_: Task, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/html", "content-length": 1_000 });
  response.write("<p>The rest of this page is");
  response.destroy();
}
