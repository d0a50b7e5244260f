/** A block of code of a page, and what the page says of it. */
export interface Snippet {
  /** Of the page, below the project. */
  readonly page: string;
  /** Where its first line is on the page, from 1. */
  readonly line: number;
  /** What the reader does not see: the code of the comment before it. */
  readonly given: string;
  readonly code: string;
  /** What the reader does not see either: the code of the comment after it. */
  readonly after: string;
  /** What it says it prints, after each `// → ` in the code. */
  readonly prints: readonly string[];
  /** The block after it that has no language, line by line: what it prints, exactly. */
  readonly output: readonly string[] | undefined;
}

const FENCE = /^(\s*)(`{3,})(\w*)\s*$/;
const COMMENT = /^<!-- (given|after)$/;
const ARROW = /\/\/ → ?(.*)$/;

/**
 * The blocks of a page that are TypeScript. What a block needs, and its reader does not, is in a comment right before it:
 *
 *     <!-- given
 *     const url = "http://localhost";
 *     -->
 *
 * What ends a program that the block is only a part of, and looks at what has come of it, is in a comment right after it, `<!-- after`.
 *
 * What it prints is in the block after it, or behind arrows in the code, `// → 1 2`: there by words, however many lines they are printed in.
 */
export function snippetsOf(page: string, text: string): Snippet[] {
  const lines = text.split("\n");
  const snippets: Snippet[] = [];
  let given: string | undefined;
  /** The snippet that ended last, if nothing but empty lines came since. */
  let last: Snippet | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.trim() === "") continue;
    const [, comment] = COMMENT.exec(line) ?? [];
    if (comment !== undefined) {
      const end = lines.indexOf("-->", i);
      if (end < 0) throw new Error(`${page}:${i + 1} begins a comment that has no end`);
      const hidden = lines.slice(i + 1, end).join("\n");
      if (comment === "given") given = hidden;
      else if (last === undefined) throw new Error(`${page}:${i + 1} comes after no block`);
      else snippets[snippets.length - 1] = { ...last, after: hidden };
      last = comment === "given" ? undefined : snippets.at(-1);
      i = end;
      continue;
    }
    const [, indent = "", fence = "", language] = FENCE.exec(line) ?? [];
    if (fence === "" || language !== "ts") {
      if (given !== undefined) throw new Error(`${page}:${i + 1} comes between what is given and the block that it is given to`);
    }
    if (fence === "") {
      last = undefined;
      continue;
    }
    const end = lines.findIndex((other, at) => at > i && other.trimEnd() === `${indent}${fence}`);
    if (end < 0) throw new Error(`${page}:${i + 1} begins a block that has no end`);
    const block = lines.slice(i + 1, end).map((each) => each.slice(indent.length));
    if (language === "ts") {
      const prints = block.flatMap((each) => ARROW.exec(each)?.[1] ?? []);
      last = { page, line: i + 2, given: given ?? "", code: block.join("\n"), after: "", prints, output: undefined };
      snippets.push(last);
      given = undefined;
    } else {
      if (language === "" && last !== undefined) {
        if (last.prints.length > 0) throw new Error(`${page}:${i + 1} says once more what the block before it prints`);
        snippets[snippets.length - 1] = { ...last, output: block };
      }
      last = undefined;
    }
    i = end;
  }
  return snippets;
}

/** The file of a snippet. What is given is on one line, so that the lines of errors can be told. */
export function programOf({ given, code, after }: Snippet): string {
  return `${oneLine(given)}\n${code}\n${after}\nexport {};\n`;
}

/** Which line of its page a line of its file is. */
export function lineOnPage({ line }: Snippet, inFile: number): number {
  return Math.max(line, line + inFile - 2);
}

/** What a snippet says it prints, and what it has printed, in a form in which the two are equal if it told the truth. */
export function saidAndPrinted({ prints, output }: Snippet, printed: readonly string[]): { said: unknown; printed: unknown } {
  if (output !== undefined) return { said: output, printed };
  return { said: wordsOf(prints), printed: wordsOf(printed) };
}

function wordsOf(lines: readonly string[]): string[] {
  return lines
    .join(" ")
    .split(/\s+/)
    .filter((word) => word !== "");
}

function oneLine(code: string): string {
  return code
    .split("\n")
    .filter((line) => !line.trim().startsWith("//"))
    .map((line) => line.trim())
    .join(" ");
}
