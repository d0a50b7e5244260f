import { gzipSync } from "node:zlib";
import { build, type Metafile, type Plugin } from "esbuild";
import { top } from "./top.js";

/** Which `#context` a bundler takes: that of AsyncLocalStorage, or the one of browsers, which have no ambient scope. */
export type Platform = "node" | "browser";

export interface Bundle {
  readonly text: string;
  /** Bytes. */
  readonly minified: number;
  readonly gzip: number;
  /** Bytes that are left of each file in the minified bundle, largest first, by names as `kernel/scope.js`. */
  readonly files: ReadonlyMap<string, number>;
}

export interface BundleOptions {
  /** `"node"` if not given: it is the larger one. */
  readonly platform?: Platform;
  /** With short names for members that are internal. The package does not do that: who debugs a program reads them. */
  readonly mangled?: boolean;
  /** With its white space, and with a comment where the code of each file begins. */
  readonly spaced?: boolean;
}

const ENTRY = "entry:";

/**
 * What each of some programs weighs, by their names. They import `creche` as others do, through its package.json, and get what is built
 * in dist. It is one build, so that files are read once however many programs there are.
 */
export async function bundles<K extends string>(
  programs: Readonly<Record<K, string>>,
  options: BundleOptions = {},
): Promise<Record<K, Bundle>> {
  const names = Object.keys(programs) as K[];
  const { outputFiles, metafile } = await build({
    entryPoints: names.map((name, index) => ({ in: `${ENTRY}${name}`, out: String(index) })),
    outdir: "out",
    absWorkingDir: top,
    platform: options.platform ?? "node",
    bundle: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    minifyWhitespace: options.spaced !== true,
    ...(options.mangled === true && { mangleProps: /^_[a-z]/ }),
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    plugins: [entries(programs)],
    // That an unused import of a package without side effects is dropped is what one of the tests wants.
    logOverride: { "ignored-bare-import": "silent" },
  });
  return Object.fromEntries(
    names.map((name, index) => {
      const text = outputFiles.find(({ path }) => path.endsWith(`/out/${index}.js`))?.text;
      const output = metafile.outputs[`out/${index}.js`];
      if (text === undefined || output === undefined) throw new Error(`esbuild has written nothing for ${name}`);
      return [name, { text, minified: Buffer.byteLength(text), gzip: gzipped(text), files: filesIn(output) }];
    }),
  ) as Record<K, Bundle>;
}

export async function bundle(program: string, options?: BundleOptions): Promise<Bundle> {
  return (await bundles({ program }, options)).program;
}

export function exporting(...names: readonly string[]): string {
  return `export { ${names.join(", ")} } from "creche";`;
}

export function gzipped(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

function filesIn(output: Metafile["outputs"][string]): ReadonlyMap<string, number> {
  const sizes = Object.entries(output.inputs)
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && !path.startsWith(ENTRY))
    .map(([path, { bytesInOutput }]) => [path.replace(/^dist\/src\//, ""), bytesInOutput] as const);
  return new Map(sizes.sort(([, one], [, other]) => other - one));
}

/** Programs that are in no file. */
function entries(programs: Readonly<Record<string, string>>): Plugin {
  return {
    name: "entries",
    setup(build) {
      build.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice(ENTRY.length), namespace: "entry" }));
      build.onLoad({ filter: /.*/, namespace: "entry" }, ({ path }) => ({ contents: programs[path] ?? "", resolveDir: top }));
    },
  };
}
