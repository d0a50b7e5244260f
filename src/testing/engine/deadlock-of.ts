import { DeadlockError } from "../../index.js";
import type { WaitGraph } from "../../kernel/wait-graph.js";

/** The error for a run of which nothing can go on any more, with who waits on what. */
export function deadlockOf({ waiting, elsewhere, abandoned }: WaitGraph, settleMs: number): DeadlockError {
  const lines = waiting.map(({ task, op, on, heldBy, startedAt }) => {
    const what = `${op}${on && ` ${on}`}${heldBy === undefined ? "" : `, held by ${heldBy}`}`;
    return `  ${task} waits: ${what}${startedAt === undefined ? "" : ` (started ${startedAt})`}`;
  });
  for (const task of elsewhere) {
    lines.push(
      `  ${task} waits for something that is not of this library, and was not settled within ${settleMs} ms of real time; between tasks, use an Event or join()`,
    );
  }
  if (abandoned === 1) lines.push("  1 foreign operation that was given up goes on");
  if (abandoned > 1) lines.push(`  ${abandoned} foreign operations that were given up go on`);
  return new DeadlockError(`nothing can go on any more, and no time can pass that would change that:\n${lines.join("\n")}`, waiting);
}
