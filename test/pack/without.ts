import { transform } from "esbuild";
import { bundle, gzipped } from "./bundle.js";

/**
 * Bytes after gzip that a bundle would have less without the own code of some files, by names as `kernel/start.js`: their lines are taken
 * out of the bundle. What is left does not run; it says what they cost.
 */
export async function costOf(program: string): Promise<(files: readonly string[]) => Promise<number>> {
  const pieces = byFile((await bundle(program, { spaced: true })).text);
  const gzipOf = async (kept: readonly Piece[]) => {
    const { code } = await transform(kept.map(({ text }) => text).join("\n"), { minifyWhitespace: true, format: "esm" });
    return gzipped(code);
  };
  const whole = await gzipOf(pieces);
  return async (files) => {
    const missing = files.filter((file) => !pieces.some((piece) => piece.file === file));
    if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(", ")}`);
    return whole - (await gzipOf(pieces.filter(({ file }) => !files.includes(file))));
  };
}

export interface Piece {
  /** `""` for what is of no file of the library. */
  readonly file: string;
  readonly text: string;
}

/** A bundle with its white space says in a comment where the code of a file begins. The list of its exports is left out. */
export function byFile(text: string): readonly Piece[] {
  const [before = "", ...rest] = text.replace(/^export \{[^}]*\};\s*$/m, "").split(/^\/\/ (?=\S+$)/m);
  const pieces = rest.map((piece) => {
    const end = piece.indexOf("\n");
    const name = piece.slice(0, end);
    return { file: name.startsWith("dist/src/") ? name.slice("dist/src/".length) : "", text: piece.slice(end + 1) };
  });
  return [{ file: "", text: before }, ...pieces];
}

/** Bytes after gzip without texts of more than `length` characters: messages, for the most part. */
export function gzipWithoutTexts(text: string, length: number): number {
  const literal = /"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return gzipped(text.replace(literal, (found) => (found.length > length ? '""' : found)));
}
