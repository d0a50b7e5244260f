export { type FromReadableOptions, fromReadable } from "./from-readable.js";
export { type FromWritableOptions, fromWritable } from "./from-writable.js";
export { type ToReadableOptions, toReadable } from "./to-readable.js";
export { type ToWritableOptions, toWritable } from "./to-writable.js";
