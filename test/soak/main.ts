import { optionsOf } from "./options.js";
import { reportOf } from "./report.js";
import { soak } from "./soak.js";

// Runs a random application on real time, and looks whether anything is violated, or grows. Ends 1 if so.
//
// usage: npm run soak                      for a minute, with a seed that is printed
//        npm run soak -- --minutes 5       for longer
//        npm run soak -- --seed 7          with the scripts of that seed; the order in which things happen is up to the clock
//        npm run soak -- --clients 16      so many clients at a time
//        npm run soak -- --leak listener   plants a leak, which has to be found: listener, closure, timer, task, promise

const { seed, minutes, clients, leak } = optionsOf(process.argv.slice(2));
console.log(
  `soak: seed ${seed}, ${minutes} min, ${clients} clients, Node ${process.version.slice(1)}${leak === undefined ? "" : `, leak: ${leak}`}\n`,
);
const result = await soak({ seed, ms: minutes * 60_000, clients, leak });
const { text, isGood } = reportOf(result, seed);
console.log(text);
// Whatever hangs does not end by itself.
process.exit(isGood ? 0 : 1);
