// The state of a scope, one bit each: a scope is made for every task, so it is kept small.

/** Its body has begun (or it is open). Set once: a scope is entered at most once. */
export const ENTERED = 1 << 0;
/** It has been left; nothing can begin in it any more. Set once. */
export const ENDED = 1 << 1;
/** Its body is over, and it ends what is still in it. */
export const LEAVING = 1 << 2;
/** Its own cancel was called, or its own deadline passed. Never cleared. */
export const CALLED = 1 << 3;
/** At its end it caught its own cancellation. */
export const CAUGHT = 1 << 4;
/** Cancellations from outside do not pass into it. */
export const SHIELD = 1 << 5;
/** A cancellation from outside had been delivered before the shield was raised; it cannot be taken back. */
export const PIERCED = 1 << 6;
/** Its failures are always wrapped in a group. Inherited. */
export const GROUP = 1 << 7;
/** The scope around it was left first, so nobody in there awaits it. */
export const FLOATING = 1 << 8;
/** It was made for one operation under a foreign signal, and is let go at the end of that. */
export const TEMPORARY = 1 << 9;
/** It is a task: where Trio asks which task it is, the search upwards stops here. */
export const TASK = 1 << 10;
/** The body of `run`. */
export const MAIN = 1 << 11;
/** A task that does not keep its nursery open. */
export const BACKGROUND = 1 << 12;
/** A task whose result nobody received, and that was disposed therefore. */
export const DISPOSED = 1 << 13;
/** A nursery made by `Nursery.open()`: it has no body that would end it. */
export const OPEN = 1 << 14;
/** It was the end of the scope around it that called its cancel: a cancellation from outside, which is not its own to catch. */
export const SHUT = 1 << 15;
/** It is being left, and ends what nobody awaited in it: what comes now is ended as well. */
export const DRAINING = 1 << 16;
/** The platform or the author does without an ambient scope. Inherited. */
export const EXPLICIT = 1 << 17;
/** Where things are made is kept, for reports. Inherited. */
export const DEBUG = 1 << 18;
/** A nursery that does not group, whatever it would inherit. */
export const COLLAPSE = 1 << 19;
/** It stands for a foreign signal, for what was begun under that. */
export const FOREIGN = 1 << 20;
/** A task of the library that only hears of cancellations: it waits for nothing, and is in no report. Nobody has a way to cancel it alone. */
export const BYSTANDER = 1 << 21;
/**
 * A task that is driven by the leader of its nursery: it is that which hears of its end and takes what it comes to, and which keeps the nursery open
 * meanwhile.
 */
export const LED = 1 << 22;

export const INHERITED = GROUP | EXPLICIT | DEBUG;
