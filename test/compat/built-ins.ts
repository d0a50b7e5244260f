import { spawnSync } from "node:child_process";
import type { NodeVersion } from "./nodes.js";

/**
 * The modules of Node that look at a signal, and the family that has what they offer, or why there is none. Node's own sources are searched for them,
 * so that nothing new is overlooked.
 */
const COVERED: Readonly<Record<string, string>> = {
  _http_client: "http",
  child_process: "processes",
  dgram: "sockets",
  events: "events",
  fs: "files",
  "internal/abort_controller": "events",
  "internal/event_target": "events",
  "internal/events/abort_listener": "events",
  "internal/fs/promises": "files",
  "internal/fs/read/context": "files",
  "internal/fs/recursive_watch": "files",
  "internal/fs/utils": "files",
  "internal/fs/watchers": "files",
  "internal/http2/core": "http",
  "internal/locks": "locks",
  "internal/readline/interface": "readline",
  "internal/streams/add-abort-signal": "streams",
  "internal/streams/duplex": "streams",
  "internal/streams/duplexify": "streams",
  "internal/streams/end-of-stream": "streams",
  "internal/streams/operators": "streams",
  "internal/streams/pipeline": "streams",
  "internal/streams/readable": "streams",
  "internal/streams/writable": "streams",
  "internal/util/abort_controller": "events",
  "internal/webstreams/readablestream": "web-streams",
  net: "sockets",
  readline: "readline",
  "readline/promises": "readline",
  "timers/promises": "timers",
};

/** They look at a signal, and are no operations of a program: tests, what has to be asked for by a flag, what only Node itself uses, and the signal of a request that a server got. */
const LEFT_OUT = /^(_http_incoming$|internal\/(test_runner|quic|streams\/iter|watch_mode|validators|debugger)\b)/;

const SEARCH = `
const sources = Object.entries(process.binding("natives"));
const looks = ([name, source]) => typeof source === "string" && !name.includes("deps/") && /\\b(validateAbortSignal|addAbortSignal\\w*|addAbortListener)\\(|\\bsignal\\??\\.aborted\\b/.test(source);
console.log(JSON.stringify(sources.filter(looks).map(([name]) => name)));
`;

/** The modules of this Node that take a signal, and that nobody has thought of. */
export function uncovered({ path }: NodeVersion): readonly string[] {
  const { stdout, stderr } = spawnSync(path, ["--no-warnings", "-e", SEARCH], { encoding: "utf8" });
  if (stdout === "") throw new Error(`the sources of ${path} could not be searched: ${stderr}`);
  return (JSON.parse(stdout) as readonly string[]).filter((name) => !(name in COVERED) && !LEFT_OUT.test(name));
}

/** Families that are named here and are not there. */
export function unknownFamilies(files: readonly string[]): readonly string[] {
  return [...new Set(Object.values(COVERED))].filter((file) => !files.includes(file));
}
