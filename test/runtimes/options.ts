/** What the command line asks for. */
export interface Options {
  /** In minutes. */
  readonly within: number | undefined;
  /** All, where it is empty. */
  readonly names: readonly string[];
}

/** Reads the command line; the text says what is wrong with it. */
export function optionsOf(args: readonly string[], known: readonly string[]): Options | string {
  let within: number | undefined;
  const names: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === "--within") {
      within = Number(args[++i]);
      if (!(within > 0)) return "--within takes a number of minutes";
    } else if (known.includes(arg)) names.push(arg);
    else return `there is no runtime ${arg}; there are ${known.join(", ")}`;
  }
  return { within, names };
}
