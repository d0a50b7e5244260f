import {
  appendFile as appendFileCallback,
  createReadStream,
  createWriteStream,
  readFile as readFileCallback,
  stat as statCallback,
  watch as watchCallback,
  writeFile as writeFileCallback,
} from "node:fs";
import { appendFile, type FileHandle, open, readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { byCode } from "./genuine.js";

/** A file that never ends, so that reading it takes for ever. */
const ENDLESS = "/dev/zero";
/** What writing anything to fails. */
const FULL = "/dev/full";

/** Enough to take some writes. */
const DATA = Buffer.alloc(2 ** 20);
const BRIEF = "It looks at the signal before each write: what has been handed to the system is not called back.";

const noFile = byCode("ENOENT");
const inFolder = ({ folder }: Kit) => folder;
const toRead = (way: Way, folder: string) => (way === "stall" ? ENDLESS : join(folder, way === "fail" ? "missing" : "."));

export default family(
  "Files",
  probe({
    name: "readFile(path, task)",
    setup: inFolder,
    call: (way, task, folder) => readFile(way === "complete" ? import.meta.filename : toRead(way, folder), task),
    genuine: noFile,
  }),
  probe({
    name: "fs.readFile(path, { signal }, callback)",
    setup: inFolder,
    call: (way, { signal }, folder) =>
      new Promise((resolve, reject) => {
        const path = way === "complete" ? import.meta.filename : toRead(way, folder);
        readFileCallback(path, { signal }, (error, data) => (error === null ? resolve(data) : reject(error)));
      }),
    genuine: noFile,
  }),
  probe({
    name: "fileHandle.readFile(task)",
    call: async (way, task) => closing(await opened(way), (handle) => handle.readFile(task)),
    genuine: byCode("EISDIR"),
  }),
  probe({
    name: "writeFile(path, chunks, task)",
    setup: inFolder,
    call: (way, task, folder) => writeFile(way === "fail" ? FULL : join(folder, "written"), chunks(way), task),
    genuine: byCode("ENOSPC"),
    note: "It looks at the signal at each chunk: give it to an iterable that waits, too.",
  }),
  probe({
    name: "fileHandle.writeFile(chunks, task)",
    setup: inFolder,
    call: async (way, task, folder) =>
      closing(await open(way === "fail" ? FULL : join(folder, "written"), "w"), (handle) =>
        handle.writeFile(chunks(way) as unknown as string, task),
      ),
    genuine: byCode("ENOSPC"),
    note: "As `writeFile`.",
  }),
  probe({
    name: "fs.writeFile(path, data, { signal }, callback)",
    setup: inFolder,
    call: (way, { signal }, folder) =>
      againAndAgain(way, (done) => writeFileCallback(way === "fail" ? FULL : join(folder, "written"), DATA, { signal }, done)),
    genuine: byCode("ENOSPC"),
    note: BRIEF,
  }),
  probe({
    name: "appendFile(path, chunks, { signal })",
    setup: inFolder,
    call: (way, { signal }, folder) =>
      appendFile(way === "fail" ? FULL : join(folder, "written"), chunks(way) as unknown as string, { signal } as object),
    genuine: byCode("ENOSPC"),
    note: "As `writeFile`. Not in Node's documentation.",
  }),
  probe({
    name: "fileHandle.appendFile(chunks, task)",
    setup: inFolder,
    call: async (way, task, folder) =>
      closing(await open(way === "fail" ? FULL : join(folder, "written"), "a"), (handle) =>
        handle.appendFile(chunks(way) as unknown as string, task as object),
      ),
    genuine: byCode("ENOSPC"),
    note: "As `writeFile`.",
  }),
  probe({
    name: "fs.appendFile(path, data, { signal }, callback)",
    setup: inFolder,
    call: (way, { signal }, folder) =>
      againAndAgain(way, (done) => appendFileCallback(way === "fail" ? FULL : join(folder, "written"), "data", { signal } as object, done)),
    genuine: byCode("ENOSPC"),
    note: `${BRIEF} Not in Node's documentation.`,
  }),
  probe({
    name: "fs.stat(path, { signal }, callback)",
    since: 24,
    setup: inFolder,
    call: (way, { signal }, folder) =>
      againAndAgain(way, (done) => statCallback(way === "fail" ? join(folder, "missing") : folder, { signal } as object, done)),
    genuine: noFile,
    note: "Not in its documentation. It looks at the signal before it begins.",
  }),
  probe({
    name: "for await (… of createReadStream(path, { signal }))",
    setup: inFolder,
    call: async (way, { signal }, folder) => {
      for await (const _ of createReadStream(way === "complete" ? import.meta.filename : toRead(way, folder), { signal }));
    },
    genuine: noFile,
  }),
  probe({
    name: "createWriteStream(path, { signal })",
    setup: inFolder,
    call: async (way, { signal }, folder) => {
      const stream = createWriteStream(join(folder, ...(way === "fail" ? ["missing", "file"] : ["file"])), { signal });
      if (way !== "stall") stream.end("data");
      await finished(stream);
    },
    genuine: noFile,
  }),
  probe({
    name: "fileHandle.createWriteStream({ signal })",
    setup: inFolder,
    call: async (way, { signal }, folder) => {
      const handle = await open(way === "fail" ? FULL : join(folder, "file"), "w");
      const stream = handle.createWriteStream({ signal } as object);
      if (way !== "stall") stream.end("data");
      await finished(stream);
    },
    genuine: byCode("ENOSPC"),
    note: "The stream closes the file.",
  }),
  probe({
    name: "for await (… of fileHandle.createReadStream({ signal }))",
    call: async (way, { signal }) => {
      for await (const _ of (await opened(way)).createReadStream({ signal }));
    },
    genuine: byCode("EISDIR"),
    note: "The stream closes the file. With `autoClose: false` and a signal that was aborted before, Node throws an uncaught AbortError.",
  }),
  probe({
    name: "for await (… of fileHandle.readLines({ signal }))",
    call: async (way, { signal }) => {
      for await (const _ of (await opened(way)).readLines({ signal }));
    },
    genuine: byCode("EISDIR"),
  }),
  probe({
    name: "for await (… of watch(path, task))",
    setup: inFolder,
    call: async (way, task, folder) => {
      if (way === "complete") void setTimeout(5).then(() => writeFile(join(folder, "file"), ""));
      for await (const _ of watch(way === "fail" ? join(folder, "missing") : folder, task)) return;
    },
    genuine: noFile,
  }),
  probe({
    name: "for await (… of watch(path, { recursive: true, signal }))",
    setup: inFolder,
    call: async (way, { signal }, folder) => {
      if (way === "complete") void setTimeout(5).then(() => writeFile(join(folder, "file"), String(Math.random())));
      const recursive = (way === "fail" ? "yes" : true) as boolean;
      for await (const _ of watch(folder, { recursive, signal })) return;
    },
    genuine: byCode("ERR_INVALID_ARG_TYPE"),
  }),
  probe({
    name: "fs.watch(path, { signal })",
    setup: inFolder,
    call: (way, { signal }, folder) =>
      new Promise<void>((resolve) => {
        const watcher = watchCallback(way === "fail" ? join(folder, "missing") : folder, { signal });
        watcher.once("close", resolve);
        if (way === "complete") watcher.close();
      }),
    genuine: noFile,
    resolves: true,
  }),
);

/** Calls what has no way to wait until it is cancelled, or else once. */
async function againAndAgain(way: Way, start: (done: (error: Error | null) => void) => void): Promise<void> {
  do await new Promise<void>((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
  while (way === "stall");
}

/** A folder can be opened, and not be read. */
function opened(way: Way): Promise<FileHandle> {
  return open(way === "stall" ? ENDLESS : way === "fail" ? "/" : import.meta.filename);
}

async function closing(handle: FileHandle, use: (handle: FileHandle) => Promise<unknown>): Promise<unknown> {
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

async function* chunks(way: Way): AsyncGenerator<string> {
  do {
    yield "chunk";
    await setTimeout(1);
  } while (way === "stall");
}
