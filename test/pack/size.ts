import { version } from "esbuild";
import { costs, files, folders, functionsAlone, limited } from "./size-report.js";

// What the package weighs in a program's bundle.
//
// usage: npm run size                the bundles that have limits, what is in the smaller one, and the ten largest functions
//        npm run size -- --all       every public name
//        npm run size -- --files     the bytes of each file

const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg !== "--all" && arg !== "--files");
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(" ")}; there are --all and --files`);
  process.exit(1);
}

const { text, passed } = await limited();
console.log(`bundled by esbuild ${version}: ES modules, ES2022, minified; gzip -9; 1,000 bytes are a kB`);
console.log("with #context of Node, node:async_hooks and node:events outside; `browsers` with that of browsers\n");
console.log(`${text}\n`);
if (args.includes("--files")) {
  console.log(await files());
} else {
  if (!args.includes("--all")) {
    console.log(
      "What the core, which are these five functions, would save without the code of each thing it does. Parts share words, so they do",
    );
    console.log(`not quite add up:\n\n${await costs()}\n`);
    console.log(`What everything would save without each folder:\n\n${await folders()}\n`);
  }
  console.log("Each public name alone, what it adds to a program that has the core, and the minified bytes of each folder in it:\n");
  console.log(await functionsAlone(args.includes("--all")));
}
for (const name of passed) console.log(`\n${name} is larger than its limit`);
process.exitCode = passed.length > 0 ? 1 : 0;
