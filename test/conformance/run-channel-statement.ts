import { label } from "./label.js";
import type { Block, ChannelStatement } from "./program.js";
import { type ChannelPair, named, type Surroundings, withChannel } from "./surroundings.js";

/** What a statement needs of the interpreter: to run the blocks in it, and to log. */
export interface Task {
  readonly around: Surroundings;
  run(body: Block, around: Surroundings): Promise<void>;
  log(event: string): void;
}

const OF_CHANNELS = new Set(["EndOfChannel", "BrokenResource", "ClosedResource", "WouldBlock"]);

export async function runChannelStatement(task: Task, statement: ChannelStatement): Promise<void> {
  const { around, log } = task;
  const channel = named(around.channels, statement.id);
  switch (statement.op) {
    case "send":
      return attempt(task, "send", async () => {
        await channel.send.send(statement.value, around.here);
        log(`sent ${statement.value}`);
      });
    case "send_nowait":
      return attempt(task, "send", () => {
        channel.send.sendNowait(statement.value);
        log(`sent ${statement.value}`);
      });
    case "receive":
      return attempt(task, "receive", async () => log(`received ${await channel.receive.receive(around.here)}`));
    case "receive_nowait":
      return attempt(task, "receive", () => log(`received ${channel.receive.receiveNowait()}`));
    case "close_send":
      return channel.send.close();
    case "close_receive":
      return channel.receive.close();
    case "closing": {
      using _end = channel[statement.end];
      return await task.run(statement.body, around);
    }
    case "clone":
      return runClone(task, statement);
    case "iterate":
      return iterate(task, statement);
  }
}

async function runClone({ around, run, log }: Task, { id, end, as, body }: ChannelStatement & { op: "clone" }): Promise<void> {
  const channel = named(around.channels, id);
  let pair: ChannelPair;
  try {
    pair = end === "send" ? { ...channel, send: channel.send.clone() } : { ...channel, receive: channel.receive.clone() };
  } catch (error) {
    return log(`clone: ${label(error)}`);
  }
  using _clone = pair[end];
  await run(body, withChannel(around, as, pair));
}

/** In steps of its own, because leaving a loop closes the end, which Trio does not. */
async function iterate(task: Task, { id, body }: ChannelStatement & { op: "iterate" }): Promise<void> {
  const items = named(task.around.channels, id).receive.values({ preventCancel: true, signal: task.around.here?.signal });
  let isOver = false;
  while (!isOver) {
    let value: string | undefined;
    await attempt(task, "items", async () => {
      isOver = true;
      const next = await items.next();
      if (next.done) return task.log("end of items");
      isOver = false;
      value = next.value;
    });
    if (isOver) return;
    task.log(`item ${value}`);
    await task.run(body, task.around);
  }
}

/** Logs what a channel refuses, and goes on; everything else is thrown on. */
async function attempt({ log }: Task, what: string, operation: () => Promise<void> | void): Promise<void> {
  try {
    await operation();
  } catch (error) {
    const of = label(error);
    if (!OF_CHANNELS.has(of)) throw error;
    log(`${what}: ${of}`);
  }
}
