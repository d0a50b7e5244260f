import { EndOfChannel, type MemoryChannelStatistics, type MemoryReceiveChannel, WouldBlock } from "../../src/index.js";

/** What has become of a call so far. */
export interface Call<T> {
  outcome: "pending" | { readonly value: T } | { readonly error: unknown };
}

/** Notes what becomes of a promise, without awaiting it. */
export function watch<T>(promise: Promise<T>): Call<T> {
  const call: Call<T> = { outcome: "pending" };
  promise.then(
    (value) => {
      call.outcome = { value };
    },
    (error) => {
      call.outcome = { error };
    },
  );
  return call;
}

/** Who waits for what at a channel, and how much is in it. */
export function waiting(end: { statistics(): MemoryChannelStatistics }): readonly [senders: number, items: number, receivers: number] {
  const { tasksWaitingSend, currentBufferUsed, tasksWaitingReceive } = end.statistics();
  return [tasksWaitingSend, currentBufferUsed, tasksWaitingReceive];
}

/** Everything that can be received without a wait; and the channel may have come to its end then. */
export function drain<T>(receive: MemoryReceiveChannel<T>): T[] {
  const items: T[] = [];
  try {
    for (;;) items.push(receive.receiveNowait());
  } catch (error) {
    if (error instanceof WouldBlock || error instanceof EndOfChannel) return items;
    throw error;
  }
}

const OWN_SIDE = "this end of the channel is closed by its own side, so it cannot";
const ADVICE = "any more. Close it after its last use, or give each user a clone()";

/** The messages of errors. */
export const CLOSED_TO_SEND = `${OWN_SIDE} send ${ADVICE}`;
export const CLOSED_TO_RECEIVE = `${OWN_SIDE} receive ${ADVICE}`;
export const CLOSED_TO_CLONE = `${OWN_SIDE} be cloned ${ADVICE}`;
export const BROKEN = "all receive ends of this channel are closed, so nobody would ever take what is sent";
export const ENDED = "all send ends of this channel are closed, and nothing is left in it";
