import { CallbackTimer } from "../kernel/callback-timer.js";
import { UsageError, WouldBlock } from "../kernel/errors.js";
import { operate, release, scopeOf } from "../kernel/lookup.js";
import type { Runtime } from "../kernel/runtime.js";
import type { CancelScope } from "../kernel/scope.js";
import type { Cancellable } from "../kernel/types.js";
import { requireDuration } from "../kernel/validate.js";
import { WaitHandler } from "../kernel/wait-handler.js";
import { QueueWaiter, WaitQueue } from "../kernel/wait-queue.js";
import { requireCount } from "./require-count.js";

export interface RateLimiterOptions {
  /** How many tokens come in each `interval`: a whole number, at least 1. They come one by one, evenly. */
  readonly limit: number;
  /** In milliseconds, above 0. */
  readonly interval: number;
  /** How many tokens are kept at most, and are there at first: a whole number, at least 1. Default: `limit`. */
  readonly burst?: number | undefined;
}

/**
 * Limits how often something is done: a bucket of tokens, into which `limit` tokens come in each `interval`, one by one, and which holds `burst` of them.
 * Each `acquire` takes one, or as many as it says, and waits while there are too few. Nothing is given back. First come, first served:
 * who asks for many is not overtaken by who asks for few.
 *
 * So in any `interval` at most `burst + limit - 1` tokens come. Where no interval may see more than `limit`, say `burst: 1`, which spaces them evenly.
 * A timer of the platform that is late delays what was due then, and nothing after it: the rate is kept.
 *
 * It keeps the time of the runtime in which it is used first: that of production, which all runs share, or that of one simulation.
 *
 * Source: the token bucket; `rate.Limiter` of Go.
 *
 * @example
 * const limiter = new RateLimiter({ limit: 10, interval: 1_000 }); // 10 at once, then one each 100 ms
 * for (const url of urls) {
 *   await limiter.acquire();
 *   nursery.startSoon((task) => fetchPage(url, task));
 * }
 */
export class RateLimiter {
  readonly limit: number;
  readonly interval: number;
  readonly burst: number;
  readonly #waiting = new WaitQueue<void, number>("acquire", this);
  readonly #handler = new RateHandler(this);
  /** Whose time it keeps; known from the first use on. */
  #runtime: Runtime | undefined = undefined;
  /** When it was last known to be full, and how many tokens have been taken since: instants are told from these two, so no error of rounding adds up. */
  #fullAt = Number.NEGATIVE_INFINITY;
  #taken = 0;
  /** For the first in line; live exactly while anyone waits. */
  #timer: CallbackTimer | undefined = undefined;

  /**
   * @throws RangeError if a number is out of its range
   * @throws TypeError if one is no number
   */
  constructor({ limit, interval, burst = limit }: RateLimiterOptions) {
    this.limit = requirePositive(limit, "`limit` of a rate limiter");
    this.interval = requireInterval(interval);
    this.burst = requirePositive(burst, "`burst` of a rate limiter");
  }

  /** How many tokens are there now, by the clock of its first use. They may be meant for those who wait. */
  get available(): number {
    const now = this.#runtime?.now() ?? Number.POSITIVE_INFINITY;
    const come = Math.floor(((now - this.#fullAt) * this.limit) / this.interval);
    let n = Math.max(0, Math.min(this.burst, this.burst - this.#taken + come));
    // What the division rounds must not contradict what is decided by the instants.
    while (n < this.burst && this.#readyAt(n + 1) <= now) n++;
    while (n > 0 && this.#readyAt(n) > now) n--;
    return n;
  }

  /**
   * Waits until `n` tokens are there and all who came before have theirs, and takes them. A full checkpoint, also if it need not wait; a cancelled
   * `acquire` took none.
   *
   * @param n a whole number, at most `burst`; by default 1. 0 takes none, but stands in line
   * @throws RangeError if `n` is more than can ever be there at once
   * @throws UsageError in a run whose clock is another than that of its first use
   */
  acquire(scope?: Cancellable): Promise<void>;
  acquire(n: number | undefined, scope?: Cancellable): Promise<void>;
  acquire(first?: number | Cancellable, second?: Cancellable): Promise<void> {
    return typeof first === "object" ? operate(first, acquireIn, this, 1) : operate(second, acquireIn, this, first ?? 1);
  }

  /** Takes `n` tokens if they are there and nobody waits. No checkpoint. @throws WouldBlock otherwise */
  acquireNowait(scope?: Cancellable): void;
  acquireNowait(n: number | undefined, scope?: Cancellable): void;
  acquireNowait(first?: number | Cancellable, second?: Cancellable): void {
    const isCounted = typeof first !== "object";
    const scope = scopeOf(isCounted ? second : first);
    const { _runtime: runtime } = scope;
    release(scope);
    if (!this.#take(runtime, isCounted ? (first ?? 1) : 1))
      throw new WouldBlock("there are too few tokens in the rate limiter, or others wait for them");
  }

  statistics(): { readonly available: number; readonly tasksWaiting: number } {
    return { available: this.available, tasksWaiting: this.#waiting.size };
  }

  /** @internal */
  _acquire(scope: CancelScope, n: number): Promise<void> {
    const { _runtime: runtime } = scope;
    if (this.#take(runtime, n)) return runtime.pause(scope, "acquire", this);
    const waiter = new QueueWaiter(this.#waiting, n, this.#handler);
    this.#waiting._append(waiter);
    const promise = scope._park(waiter);
    this._plan();
    return promise;
  }

  /** Sees to it that there is a timer for the first in line, and none if nobody is. @internal */
  _plan(): void {
    const runtime = this.#runtime as Runtime;
    const first = this.#waiting.first;
    const at = first === undefined ? undefined : this.#readyAt(first.what);
    if (this.#timer?.live && this.#timer.at === at) return;
    if (this.#timer?.live) runtime.clearTimer(this.#timer);
    this.#timer = at === undefined ? undefined : new CallbackTimer(at, () => this._refill());
    if (this.#timer !== undefined) runtime.setTimer(this.#timer);
  }

  /** Somebody leaves the line without having been served. @internal */
  _leaves(waiter: QueueWaiter<void, number>): void {
    // While the first one was due, and its timer late, the bucket may have been full. Nobody has taken anything then, so what came since is lost.
    if (this.#waiting.first === waiter) this.#overflow((this.#runtime as Runtime).now());
  }

  /** Serves those in line whose time has come. @internal */
  _refill(): void {
    const now = (this.#runtime as Runtime).now();
    for (let first = this.#waiting.first; first !== undefined && this.#readyAt(first.what) <= now; first = this.#waiting.first) {
      // As of the instant when it was due, however late the timer is: as long as it was the first, the bucket was not full before that.
      this.#taken += first.what;
      first.wake();
    }
    this._plan();
  }

  #take(runtime: Runtime, n: number): boolean {
    requireCount(n, "the number of tokens to acquire");
    if (n > this.burst)
      throw new RangeError(
        `${n} tokens are never there at once: the \`burst\` of the rate limiter is ${this.burst}. Ask for fewer at a time`,
      );
    this.#runtime ??= runtime;
    if (this.#runtime !== runtime)
      throw new UsageError("this rate limiter keeps the time of another clock, in which it was used first: make one for each simulation");
    const now = runtime.now();
    if (this.#waiting.size > 0 || now < this.#readyAt(n)) return false;
    this.#overflow(now);
    this.#taken += n;
    return true;
  }

  /** Forgets what is more than the bucket holds. At the very instant at which it is full that makes no difference, and the old instant is the exact one. */
  #overflow(now: number): void {
    if (now <= this.#readyAt(this.burst)) return;
    this.#fullAt = now;
    this.#taken = 0;
  }

  /** The instant from which on `n` tokens are there, if none is taken before. */
  #readyAt(n: number): number {
    return this.#fullAt + ((this.#taken + n - this.burst) * this.interval) / this.limit;
  }
}

/** When one is cancelled, the next in line may need fewer tokens, and sooner. */
class RateHandler extends WaitHandler<QueueWaiter<void, number>> {
  readonly #limiter: RateLimiter;

  constructor(limiter: RateLimiter) {
    super();
    this.#limiter = limiter;
  }

  /** It leaves to a timer whom to serve now: those may be about to be cancelled as well. */
  override cancel(waiter: QueueWaiter<void, number>, reason: unknown): boolean {
    this.#limiter._leaves(waiter);
    waiter._endCancelled(reason);
    this.#limiter._plan();
    return false;
  }
}

function acquireIn(scope: CancelScope, limiter: RateLimiter, n: number): Promise<void> {
  return limiter._acquire(scope, n);
}

function requirePositive(n: number, what: string): number {
  if (requireCount(n, what) === 0) throw new RangeError(`${what} is at least 1`);
  return n;
}

function requireInterval(ms: number): number {
  requireDuration(ms, "`interval` of a rate limiter");
  if (ms === 0 || ms === Number.POSITIVE_INFINITY) throw new RangeError(`\`interval\` of a rate limiter is above 0 and finite, not ${ms}`);
  return ms;
}
