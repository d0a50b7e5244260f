export { type Cancellation, type CancellationOptions, cancellation } from "./cancellation.js";
export { concurrentModelRun } from "./concurrent-model-run.js";
export { type ScheduleOptions, schedule } from "./schedule.js";
