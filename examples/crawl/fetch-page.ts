// One request. All that can go wrong with it comes out as a PageError, except a cancellation.
import { TextDecoder } from "node:util";
import { type CancelScope, isCancellation } from "creche";
import { HtmlReader } from "./html-reader.js";
import { PageError } from "./page-error.js";
import { pageUrl } from "./page-url.js";
import type { Visited } from "./visit-page.js";

const HEADERS = { accept: "text/html", "user-agent": "creche-example-crawl" };

export async function fetchPage(url: URL, maxBytes: number, scope: CancelScope): Promise<Visited> {
  try {
    const response = await fetch(url, { signal: scope.signal, headers: HEADERS, redirect: "manual" });
    return await (isHtml(response) ? readPage(url, response, maxBytes) : decline(url, response));
  } catch (error) {
    if (isCancellation(error, scope) || error instanceof PageError) throw error;
    throw new PageError("network", reasonOf(error), true, { cause: error });
  }
}

function isHtml(response: Response): boolean {
  return response.ok && /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

/** Reads a page as it comes, so that one without end is given up when it is too large. */
async function readPage(url: URL, response: Response, maxBytes: number): Promise<Visited> {
  const reader = new HtmlReader(url);
  const decoder = decoderFor(response);
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw new PageError("too large", `it is longer than ${maxBytes} bytes`, false);
    reader.write(decoder.decode(chunk, { stream: true }));
  }
  reader.write(decoder.decode());
  const { title, links, text } = reader.end();
  return { ending: { outcome: "page", status: response.status, bytes, title, links: links.length }, links, text };
}

/** A redirect is a page with one link; of anything else that is not HTML, only the type is of interest. */
async function decline(url: URL, response: Response): Promise<Visited> {
  const { status, headers } = response;
  await response.body?.cancel();
  if (status >= 400) throw new PageError(`HTTP ${status}`, `the server answered ${status}`, status === 429 || status >= 500);
  const target = headers.get("location");
  if (status < 300 || target === null) {
    return { ending: { outcome: "other", status, type: headers.get("content-type") ?? "unknown" }, links: [], text: "" };
  }
  const link = pageUrl(target, url);
  if (link === undefined) throw new PageError("bad redirect", `it redirects to ${target}`, false);
  return { ending: { outcome: "redirect", status, target: link.href }, links: [link], text: "" };
}

function decoderFor(response: Response): TextDecoder {
  const charset = /charset="?([\w-]+)/i.exec(response.headers.get("content-type") ?? "")?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

/** `fetch` says only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
