import { type Browser, chromium, type Page } from "playwright-core";
import { family, type Kit, type Probe, probe, type Scope, type Way } from "../harness/probe.js";
import { byMessage } from "./genuine.js";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--no-first-run",
  "--disable-sync",
  "--disable-component-update",
];

let browser: Browser | undefined;
/** Pages that no scenario uses: a new one takes longer than all that is done in it. */
const idle: Page[] = [];

export default family(
  "playwright-core",
  onPage(
    "page.goto(url, { signal })",
    byMessage(/ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/),
    (way, page, url, { signal }) =>
      page.goto(`${url}/${{ stall: "stall-headers", complete: "page", fail: "reset" }[way]}`, { signal, timeout: 0 } as object),
    {
      note: "It stops waiting; the browser goes on loading.",
      leaves: { what: "the request, until the page is closed or goes elsewhere", reports: /at the server/ },
    },
  ),
  onPage("page.waitForSelector(selector, { signal })", byMessage(/Unexpected token|selector/), async (way, page, url, { signal }) => {
    await page.goto(`${url}/page`, { signal } as object);
    const found = await page.waitForSelector({ stall: "#hidden", complete: "#shown", fail: "###" }[way], { signal, timeout: 0 } as object);
    // The page keeps what it hands out.
    await found?.dispose();
  }),
  onPage("locator.click({ signal })", byMessage(/Unexpected token|selector/), async (way, page, url, { signal }) => {
    await page.goto(`${url}/page`, { signal } as object);
    return page.locator({ stall: "#hidden", complete: "#shown", fail: "###" }[way]).click({ signal, timeout: 0 } as object);
  }),
);

function onPage(
  name: string,
  genuine: (error: unknown) => boolean,
  call: (way: Way, page: Page, url: string, task: Scope) => Promise<unknown>,
  more: Pick<Probe, "note" | "leaves"> = {},
): Probe {
  return probe({
    ...more,
    name,
    needs: ["http", "chromium"],
    prepare: async ({ chromium: executablePath, defer }: Kit) => {
      const launched = await chromium.launch({ executablePath, args: ARGS });
      browser = launched;
      defer(() => launched.close());
    },
    setup: async ({ http, defer }: Kit) => {
      const page = idle.pop() ?? (await (browser as Browser).newPage());
      defer(async () => {
        // What still loads in it may be in the way.
        await page.goto("about:blank").then(
          () => idle.push(page),
          () => page.close(),
        );
      });
      return { page, http };
    },
    call: (way, task, { page, http }) => call(way, page, http, task),
    genuine,
    isPooled: true,
  });
}
