import type { Family, Probe } from "../harness/probe.js";

/** The files beside this one that hold a family, in the order of the table. A child loads the one that it needs only. */
const FILES = [
  "timers",
  "events",
  "streams",
  "web-streams",
  "files",
  "processes",
  "sockets",
  "http",
  "fetch",
  "readline",
  "locks",
  "without-signal",
  "undici",
  "http-clients",
  "models",
  "s3",
  "grpc",
  "web-sockets",
  "execa",
  "promises",
  "postgres",
  "mysql",
  "redis",
  "browser",
] as const;

export async function loadFamilies(): Promise<readonly (Family & { readonly file: string })[]> {
  return Promise.all(FILES.map(async (file) => ({ ...(await load(file)), file })));
}

/** @param id the file of its family and its name, as `timers/scheduler.wait(ms, task)` */
export async function findProbe(id: string): Promise<Probe> {
  const [file, name] = [id.slice(0, id.indexOf("/")), id.slice(id.indexOf("/") + 1)];
  const found = (await load(file)).probes.find((probe) => probe.name === name);
  if (found === undefined) throw new Error(`there is no probe ${id}`);
  return found;
}

async function load(file: string): Promise<Family> {
  return ((await import(`./${file}.js`)) as { default: Family }).default;
}
