import { type Kit, type Probe, probe, type Scope, type Way, type Wrap } from "../harness/probe.js";
import { byCode, byMessage } from "./genuine.js";

/** Which behaviour of the server stands for which way, see `servers/behaviours.ts`. */
export type Paths = Readonly<Record<Way, string>>;

/** The answer does not begin; or the server hangs up. */
export const HEADERS: Paths = { stall: "stall-headers", complete: "ok", fail: "reset" };
/** The answer begins, and does not go on; or the server hangs up in the middle. */
export const BODY: Paths = { stall: "stall-body", complete: "ok", fail: "reset-body" };
/** For clients that throw on a status. */
export const STATUS: Paths = { stall: "stall-headers", complete: "ok", fail: "missing" };
/** The client waits before it tries again. */
export const BACKOFF: Paths = { stall: "busy", complete: "ok", fail: "missing" };
/** A stream of events, for a client of a language model. */
export const EVENTS: Paths = { stall: "stall-events", complete: "events", fail: "error-event" };

/** What clients say when the server hangs up. */
export function isReset(error: unknown): boolean {
  return (
    byCode("ECONNRESET", "UND_ERR_SOCKET", "ERR_STREAM_PREMATURE_CLOSE", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH")(error) ||
    byMessage(/socket hang up|other side closed|^stream has been aborted/)(error)
  );
}

/** One call of an HTTP client. */
export function overHttp(
  name: string,
  paths: Paths,
  call: (url: string, task: Scope, wrap: Wrap) => PromiseLike<unknown>,
  genuine: (error: unknown) => boolean = isReset,
  more: Pick<Probe, "note" | "resolves" | "leaves"> = {},
): Probe {
  return probe({
    ...more,
    name,
    needs: ["http"],
    setup: ({ http }: Kit) => http,
    call: (way, task, http, wrap) => call(`${http}/${paths[way]}`, task, wrap),
    shown: call,
    genuine,
    isPooled: true,
  });
}
