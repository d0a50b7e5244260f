import { UsageError } from "../../index.js";

/** When a run is disturbed: before an operation takes effect, while it waits, or by a failure of its own. */
export type InjectMode = "enter" | "blocked" | "fault";

/** What is cancelled: the task at the checkpoint, everything, or the scope of that name. */
export type InjectTarget = "task" | "root" | { readonly scope: string };

/** One disturbance of a run that is data otherwise. */
export interface Injection {
  /** The number of the checkpoint, from 1, in the order in which they come. */
  readonly k: number;
  readonly mode: InjectMode;
  /** `undefined` for a fault, which cancels nothing. */
  readonly target: InjectTarget | undefined;
}

const LETTERS = { enter: "e", blocked: "b", fault: "f" } as const;

/** As `@12b.task`: the number, the letter of the mode, and what is cancelled. It comes after the code of the schedule. */
export function encodeInjection({ k, mode, target }: Injection): string {
  return `@${k}${LETTERS[mode]}${target === undefined ? "" : `.${targetName(target)}`}`;
}

/** As reports and codes call it. */
export function targetName(target: InjectTarget): string {
  return typeof target === "string" ? target : `scope=${encodeURIComponent(target.scope)}`;
}

export interface InjectionCode {
  readonly schedule: string;
  /** `undefined` if the code is that of a schedule alone. */
  readonly injection: Injection | undefined;
}

/** @throws UsageError if there is something behind an `@` that is no injection */
export function splitCode(code: string): InjectionCode {
  const at = typeof code === "string" ? code.indexOf("@") : -1;
  if (at < 0) return { schedule: code, injection: undefined };
  const match = /^@([1-9]\d*)(?:(f)|([eb])\.(?:(task|root)|scope=(\S+)))$/.exec(code.slice(at));
  if (match === null)
    throw new UsageError(`"${code}" is no schedule with an injection: one looks like f:#c6k@12b.task, as reports print it`);
  const [, k = "", fault, letter, plain, scope = ""] = match;
  const target = (plain as "task" | "root" | undefined) ?? { scope: decodeURIComponent(scope) };
  const injection: Injection =
    fault === undefined
      ? { k: Number(k), mode: letter === "e" ? "enter" : "blocked", target }
      : { k: Number(k), mode: "fault", target: undefined };
  return { schedule: code.slice(0, at), injection };
}
