export { abandonOnCancel } from "./bridges/abandon-on-cancel.js";
export type { BridgeOptions, Settle } from "./bridges/bridge-options.js";
export { type CancellableOptions, cancellable } from "./bridges/cancellable.js";
export type { OnOverflow } from "./bridges/event-buffer.js";
export type { EventOptions } from "./bridges/event-options.js";
export type { EmitterLike, EventName, EventOf, EventTargetLike } from "./bridges/event-source.js";
export type { EventStream } from "./bridges/event-stream.js";
export { type Done, type FromCallbackOptions, fromCallback } from "./bridges/from-callback.js";
export { fromEvent } from "./bridges/from-event.js";
export { type EventsOptions, fromEvents } from "./bridges/from-events.js";
export { type FromReadableStreamOptions, fromReadableStream } from "./bridges/from-readable-stream.js";
export { type FromWritableStreamOptions, fromWritableStream } from "./bridges/from-writable-stream.js";
export { OperationAborted } from "./bridges/operation-aborted.js";
export { OverflowError } from "./bridges/overflow-error.js";
export { scopeFromSignal } from "./bridges/scope-from-signal.js";
export { StreamReceiveChannel } from "./bridges/stream-receive-channel.js";
export { StreamSendChannel } from "./bridges/stream-send-channel.js";
export { type ToPromiseOptions, toPromise } from "./bridges/to-promise.js";
export { type ToReadableStreamOptions, toReadableStream } from "./bridges/to-readable-stream.js";
export { type ToWritableStreamOptions, toWritableStream } from "./bridges/to-writable-stream.js";
export { Broadcast, type BroadcastOptions, type BroadcastStatistics, type SlowPolicy } from "./channels/broadcast.js";
export type { Subscription, SubscriptionStatistics } from "./channels/broadcast-subscription.js";
export { generate } from "./channels/generate.js";
export type { Generated } from "./channels/generated.js";
export type { MemoryChannelStatistics } from "./channels/memory-channel.js";
export { MemoryReceiveChannel, type ValuesOptions } from "./channels/memory-receive-channel.js";
export { MemorySendChannel } from "./channels/memory-send-channel.js";
export { type ItemOf, type MergeOptions, merge, type NamedItemOf } from "./channels/merge.js";
export { type MemoryChannelEnds, openMemoryChannel } from "./channels/open-memory-channel.js";
export { type Cases, type Chosen, select, selectFair } from "./channels/select.js";
export { timeout } from "./channels/timeout.js";
export { all } from "./combinators/all.js";
export { allSettled, type SettledResultsOf } from "./combinators/all-settled.js";
export { any } from "./combinators/any.js";
export type { BackoffOptions } from "./combinators/backoff.js";
export { every } from "./combinators/every.js";
export { forEach } from "./combinators/for-each.js";
export { type HedgeOptions, hedge } from "./combinators/hedge.js";
export type { ItemFunction, ItemSource } from "./combinators/item-source.js";
export { map } from "./combinators/map.js";
export type { MapOptions } from "./combinators/map-options.js";
export { type MapStreamOptions, mapStream } from "./combinators/map-stream.js";
export type { MappedStream } from "./combinators/mapped-stream.js";
export { type NotYet, poll } from "./combinators/poll.js";
export { race } from "./combinators/race.js";
export { type RetryOptions, retry } from "./combinators/retry.js";
export { type StaggeredOptions, staggered } from "./combinators/staggered.js";
export type { ResultsOf, TaskFunction, TaskFunctions } from "./combinators/task-function.js";
export type { TickFunction, TickOptions } from "./combinators/ticks.js";
export { type CancelKind, Cancelled } from "./kernel/cancelled.js";
export { ContextVariable, type ContextVariableOptions } from "./kernel/context-variable.js";
export { currentEffectiveDeadline, currentScope, currentTask } from "./kernel/current.js";
export { ErrorGroup, leaves } from "./kernel/error-group.js";
export {
  BrokenResourceError,
  ClosedResourceError,
  DeadlockError,
  EndOfChannel,
  MissingScopeError,
  NurseryClosedError,
  ScopeEndedError,
  TaskCancelledError,
  TimeoutError,
  UsageError,
  type Waiting,
  WouldBlock,
} from "./kernel/errors.js";
export { isCancellation } from "./kernel/is-cancellation.js";
export { Nursery, type NurseryOptions } from "./kernel/nursery.js";
export { openNursery } from "./kernel/open-nursery.js";
export { type Abort, type Parked, type ParkOptions, park } from "./kernel/park.js";
export type { CancelPolicy, JoinPolicy, PolicyNursery, PolicyOptions, SettledTask, TaskOutcome } from "./kernel/policy.js";
export { collect } from "./kernel/policy-collect.js";
export { failFast } from "./kernel/policy-fail-fast.js";
export { type FirstSuccess, firstSuccess } from "./kernel/policy-first-success.js";
export { type Until, until } from "./kernel/policy-until.js";
export { type RunOptions, run } from "./kernel/run.js";
export type { Runtime, Timer } from "./kernel/runtime.js";
export { CancelScope, type CancelScopeOptions } from "./kernel/scope.js";
export type { Selectable } from "./kernel/selectable.js";
export { Task, type TaskOptions, type TaskState } from "./kernel/task.js";
export { checkpoint, now, sleep, sleepForever, sleepUntil } from "./kernel/time.js";
export { failAfter, failAt, moveOnAfter, moveOnAt, shield } from "./kernel/timeouts.js";
export type { Awaitable, Cancellable } from "./kernel/types.js";
export { Barrier } from "./sync/barrier.js";
export type { BorrowedToken } from "./sync/borrowed-token.js";
export { CapacityLimiter } from "./sync/capacity-limiter.js";
export { Condition } from "./sync/condition.js";
export { Event } from "./sync/event.js";
export { Lock } from "./sync/lock.js";
export { RateLimiter, type RateLimiterOptions } from "./sync/rate-limiter.js";
export { Semaphore } from "./sync/semaphore.js";
