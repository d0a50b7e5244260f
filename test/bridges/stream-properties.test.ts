import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BrokenResourceError,
  type CancelScope,
  leaves,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  shield,
  sleep,
  toReadableStream,
  toWritableStream,
} from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { watchProcess } from "../rules/r12-process-watch.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";

/** One stream of several that follow one another on the same end of a channel. */
const turn = fc.record({
  /** How many chunks it reads or writes. */
  chunks: fc.nat({ max: 4 }),
  pause: fc.nat({ max: 2 }),
  /** When its scope is cancelled, if it is: then it may be in the middle of a chunk. */
  cancelledAt: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
  /** When the stream is cancelled or aborted, if it is. */
  brokenOffAt: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
});
const turns = fc.array(turn, { minLength: 1, maxLength: 5 });
const pauses = fc.array(fc.nat({ max: 3 }), { maxLength: 20 });

/** A scope for one of them, which is cancelled when it is to be. */
function within(ms: number | undefined, body: (scope: CancelScope) => Promise<unknown>): Promise<unknown> {
  return moveOnAfter(ms ?? Number.POSITIVE_INFINITY, body);
}

describe("R6, at any schedule, whoever is cancelled when:", () => {
  test("what readable streams on an end have read, one after the other, is all that has left the channel", async () => {
    await fc.assert(
      fc.asyncProperty(turns, pauses, fc.nat({ max: 2 }), schedules(), async (program, gaps, capacity, schedule) => {
        await simulate(
          async (root) => {
            const [send, receive] = openMemoryChannel<number>(capacity);
            root.startSoon(
              async () => {
                for (let n = 0; ; n++) {
                  await sleep(gaps[n] ?? 0);
                  await send.send(n);
                }
              },
              { background: true },
            );
            const read: number[] = [];
            for (const { chunks, pause, cancelledAt, brokenOffAt } of program) {
              await within(cancelledAt, async (scope) => {
                const reader = toReadableStream(receive, { signal: scope.signal, preventCancel: true }).getReader();
                await openNursery(async (nursery) => {
                  if (brokenOffAt !== undefined)
                    nursery.startSoon(() => sleep(brokenOffAt).then(() => reader.cancel()), { background: true });
                  for (let i = 0; i < chunks; i++) {
                    const next = await reader.read();
                    if (next.done) break;
                    read.push(next.value);
                    await sleep(pause);
                  }
                });
              });
            }
            await sleep(1);
            expect(receive.statistics()).toMatchObject({ tasksWaitingReceive: 0, openReceiveChannels: 1 });
            read.push(await receive.receive());
            expect(read).toEqual(read.map((_, i) => i));
          },
          { pick: pickOf(schedule) },
        );
      }),
      { numRuns: 300 },
    );
  });

  test("what writable streams on an end have written, one after the other, is all that has come into the channel", async () => {
    await fc.assert(
      fc.asyncProperty(turns, pauses, fc.nat({ max: 2 }), schedules(), async (program, gaps, capacity, schedule) => {
        await simulate(
          async (root) => {
            const [send, receive] = openMemoryChannel<number>(capacity);
            const received: number[] = [];
            const receiving = root.startSoon(async () => {
              for await (const n of receive) {
                received.push(n);
                await sleep(gaps[received.length] ?? 0);
              }
            });
            const written: number[] = [];
            let next = 0;
            for (const { chunks, pause, cancelledAt, brokenOffAt } of program) {
              const cause = new Error("aborted");
              const running = openNursery(() =>
                within(cancelledAt, async (scope) => {
                  const stream = toWritableStream(send, { signal: scope.signal, preventClose: true });
                  const writer = stream.getWriter();
                  await openNursery(async (nursery) => {
                    if (brokenOffAt !== undefined)
                      nursery.startSoon(() => sleep(brokenOffAt).then(() => writer.abort(cause)), { background: true });
                    for (let i = 0; i < chunks; i++) {
                      const n = next++;
                      await writer.write(n);
                      written.push(n);
                      await sleep(pause);
                    }
                    if (brokenOffAt === undefined) await writer.close();
                  });
                }),
              );
              await running.catch((error) => expect(error).toBe(cause));
            }
            await shield(() => sleep(1));
            expect(send.statistics()).toMatchObject({ tasksWaitingSend: 0, openSendChannels: 1 });
            send.close();
            await receiving.join();
            expect(received).toEqual(written);
          },
          { pick: pickOf(schedule) },
        );
      }),
      { numRuns: 300 },
    );
  });
});

test("R12, R17: a pipe between two channels leaves nothing behind, and what came through is a beginning of what was sent, in order", async () => {
  const ends = fc.constantFrom("complete", "cancel", "break", "fail");
  await fc.assert(
    fc.asyncProperty(ends, fc.nat({ max: 8 }), pauses, pauses, schedules(), async (how, at, sends, receives, schedule) => {
      const total = 12;
      const boom = new Error("boom");
      const received: number[] = [];
      let isComplete = false;
      const { unhandled, uncaught } = await watchProcess(async () => {
        const running = simulate(
          (root) =>
            openNursery(async (nursery) => {
              const [inSend, inReceive] = openMemoryChannel<number>(1);
              const [outSend, outReceive] = openMemoryChannel<number>(1);
              root.defer(() => {
                const nothing = { tasksWaitingSend: 0, tasksWaitingReceive: 0, openSendChannels: 0 };
                expect(inSend.statistics()).toMatchObject(nothing);
                expect(outSend.statistics()).toMatchObject(nothing);
                // Only this cleanup.
                expect(root._firstChild?._next).toBe(root._firstChild);
              });
              nursery.startSoon(async () => {
                using send = inSend;
                for (let n = 0; n < total; n++) {
                  await sleep(sends[n] ?? 0);
                  await send.send(n);
                }
              });
              const transform = new TransformStream<number, number>();
              nursery.startSoon(async (task) => {
                await toReadableStream(inReceive, nursery)
                  .pipeThrough(transform)
                  .pipeTo(toWritableStream(outSend, nursery), task as object);
              });
              for await (const n of outReceive) {
                received.push(n);
                if (received.length === at + 1) {
                  if (how === "break") break;
                  if (how === "fail") throw boom;
                  if (how === "cancel") nursery.cancel();
                }
                await sleep(receives[n] ?? 0);
              }
              isComplete = true;
            }),
          { pick: pickOf(schedule) },
        );
        if (how === "complete" || how === "cancel") await running;
        else {
          // Leaving the loop is told all the way up, through the pipe and to the producer, as far as they have not ended.
          const [first, ...others] = leaves(await rejectionOf(running));
          for (const error of how === "fail" ? others : [first, ...others]) expect(error).toBeInstanceOf(BrokenResourceError);
          if (how === "fail") expect(first).toBe(boom);
        }
      });
      expect([unhandled, uncaught]).toEqual([[], []]);
      expect(received).toEqual(received.map((_, i) => i));
      if (how === "complete") expect(received.length).toBe(total);
      if (how === "cancel" || how === "fail") expect(isComplete).toBe(false);
    }),
    { numRuns: 200 },
  );
});
