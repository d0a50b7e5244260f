import {
  type CancelScope,
  ClosedResourceError,
  moveOnAfter,
  openMemoryChannel,
  selectFair,
  shield,
  timeout,
} from "../../../../src/index.js";
import { Parcels } from "../../checks/parcels.js";
import type { Call } from "../call.js";

/** Producers and consumers on one channel, some of which are cancelled while they wait: what was sent is received, once. */
export async function channelWork(call: Call, scope: CancelScope): Promise<void> {
  const parcels = new Parcels(call.name, call.app.ledger);
  const { send, receive } = openMemoryChannel<number>(call.random.pick([0, 1, 3, Number.POSITIVE_INFINITY]));
  try {
    await call.nursery(async (nursery, brood) => {
      for (let i = call.random.between(1, 3); i > 0; i--) {
        const own = send.clone();
        nursery.startSoon(
          brood.task(async (task) => {
            using end = own;
            for (let n = call.random.below(8); n > 0; n--) {
              const most = call.random.below(3);
              await moveOnAfter(most, (inner) => parcels.send((parcel) => end.send(parcel, inner)), task);
            }
            await call.mayFail(task, 0.05);
          }),
        );
      }
      send.close();
      nursery.startSoon(
        brood.task(async (task) => {
          for await (const parcel of receive.values({ signal: task.signal, preventCancel: true })) {
            parcels.received(parcel);
            if (call.random.chance(0.2)) await call.work(task, 1);
          }
        }),
      );
    }, scope);
  } finally {
    // What is still in it when all have ended is lost with the end that is closed.
    parcels.account(receive.statistics().currentBufferUsed);
    receive.close();
  }
}

/** One of several things that can be done, again and again: exactly one is done at a time. */
export async function selecting(call: Call, scope: CancelScope): Promise<void> {
  const [jobs, results] = [openMemoryChannel<number>(1), openMemoryChannel<number>(0)];
  const [sent, done] = [new Parcels(`${call.name}, jobs`, call.app.ledger), new Parcels(`${call.name}, results`, call.app.ledger)];
  try {
    await call.nursery(async (nursery, brood) => {
      nursery.startSoon(
        brood.task(async (task) => {
          using end = jobs.send;
          for (let n = call.random.below(6); n > 0; n--) await sent.send((parcel) => end.send(parcel, call.at(task)));
        }),
      );
      nursery.startSoon(
        brood.task(async (task) => {
          using end = results.receive;
          await moveOnAfter(
            call.random.between(3, 20),
            async (inner) => {
              for await (const parcel of end.values({ signal: inner.signal, preventCancel: true })) done.received(parcel);
            },
            task,
          );
        }),
      );
      for (let isOpen = true; isOpen && !results.receive.isClosed; ) {
        await done
          .send(async (parcel) => {
            for (;;) {
              const chosen = await selectFair(
                { job: jobs.receive.orEnd, sent: results.send.sending(parcel), late: timeout(3) },
                call.at(nursery),
              );
              if (chosen.key === "sent") return;
              if (chosen.key === "job" && !chosen.value.done) sent.received(chosen.value.value);
              else {
                isOpen = chosen.key !== "job";
                throw new NothingSent();
              }
            }
          })
          .catch((error) => {
            // The one who receives may have gone meanwhile.
            if (error instanceof NothingSent || results.receive.isClosed) return;
            throw error;
          });
      }
      results.send.close();
    }, scope);
  } finally {
    sent.account(jobs.receive.statistics().currentBufferUsed);
    done.account(results.receive.statistics().currentBufferUsed);
    for (const end of [jobs.send, jobs.receive, results.send, results.receive]) end.close();
  }
}

class NothingSent extends Error {}

/** Reads the news for a while: in order, and without a gap that is not accounted for. */
export async function subscribing(call: Call, scope: CancelScope): Promise<void> {
  using news = call.app.pools.news.subscribe();
  const got: number[] = [];
  await moveOnAfter(
    call.random.between(2, 15),
    async (inner) => {
      for (;;) {
        got.push(await news.receive(inner));
        if (call.random.chance(0.1)) await call.work(inner);
      }
    },
    call.at(scope),
  );
  const isInOrder = got.every((item, i) => i === 0 || item > (got[i - 1] as number));
  call.check(isInOrder, () => `news came in the order ${got}`);
  await shield((inner) => call.work(inner, 1), scope);
  news.close();
  await news.receive(call.at(scope)).catch((error) => {
    if (!(error instanceof ClosedResourceError)) throw error;
  });
}
