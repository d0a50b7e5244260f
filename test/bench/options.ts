export interface Options {
  /** Parts of names: the rows that are wanted. None: all. */
  readonly parts: readonly string[];
  readonly isJson: boolean;
  /** Which Node: the major version of one that npm brings, or the one that runs this. */
  readonly node: 20 | 24 | "here";
  readonly isMixed: boolean;
  readonly isScaling: boolean;
  readonly isHelp: boolean;
}

export const USAGE = `npm run bench [-- [PART...] [--json] [--node 20|24] [--here] [--no-mixed] [--scaling] [--help]]

  PART        only rows with this in their names; \`testing\` is a bench of its own
  --json      an array of results instead of the tables
  --node N    on the Node 20 or 24 that npm brings (Linux on x64); default: 24
  --here      on the Node that runs this
  --no-mixed  without the column \`mixed\`
  --scaling   how cost grows with the number of tasks; writes docs/performance.svg`;

const FLAGS = ["--json", "--here", "--no-mixed", "--scaling", "--help"];

/** Throws what is wrong with them. */
export function optionsOf(args: readonly string[]): Options {
  const parts: string[] = [];
  const flags = new Set<string>();
  let node: Options["node"] = 24;
  for (let i = 0; i < args.length; i++) {
    const [arg, given] = (args[i] as string).split("=", 2) as [string, string?];
    if (arg === "--node") {
      const version = given ?? args[++i];
      if (version !== "20" && version !== "24") throw new RangeError(`--node takes 20 or 24, not ${version ?? "nothing"}`);
      node = version === "20" ? 20 : 24;
    } else if (FLAGS.includes(args[i] as string)) flags.add(arg);
    else if (arg.startsWith("-")) throw new RangeError(`there is no option ${arg}`);
    else parts.push(args[i] as string);
  }
  return {
    parts,
    isJson: flags.has("--json"),
    node: flags.has("--here") ? "here" : node,
    isMixed: !flags.has("--no-mixed"),
    isScaling: flags.has("--scaling"),
    isHelp: flags.has("--help"),
  };
}

/** Whether a row is among those wanted. A size is meant in full: `spawn+join 1000` is not the one with 10,000. */
export function isWanted(name: string, parts: readonly string[]): boolean {
  return parts.length === 0 || parts.some((part) => name.includes(part) && !(/\d$/.test(part) && name.includes(`${part}0`)));
}
