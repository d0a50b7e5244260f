import { ScheduleFailure } from "creche/testing";
import { cases } from "./cases.js";
import { again, find } from "./find.js";

/** Bug by bug: what is wrong, the report on it, the replay, and the fixed version. */
export async function tour(print: (text: string) => void): Promise<void> {
  for (const each of cases) {
    print(`== ${each.name}: ${each.bug}\n`);
    const failure = await find(each, each.buggy);
    if (failure === undefined) throw new Error(`nothing was found wrong with ${each.name}`);
    print(indented(failure.message));
    const replayed = await again(failure.replay, each.buggy);
    const isSame = replayed instanceof ScheduleFailure && replayed.kind === failure.kind;
    print(`   replayed by ${failure.replay}: ${isSame ? `${failure.kind}, as before` : "something else"}`);
    const left = await find(each, each.fixed);
    print(`   fixed: ${left === undefined ? "nothing found" : left.message}\n`);
  }
}

function indented(text: string): string {
  return text
    .trimEnd()
    .replace(/^(?=.)/gm, "   ")
    .concat("\n");
}
