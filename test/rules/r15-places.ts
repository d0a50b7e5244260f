import { CancelScope, checkpoint, failAfter, Lock, moveOnAfter, Nursery, openNursery, park, run, shield, sleep } from "../../src/index.js";

/** What came out, in a box, because it may be `undefined` or a promise. */
export type Caught = { readonly error: unknown } | "nothing was thrown";

export async function caught(promise: Promise<unknown>): Promise<Caught> {
  try {
    await promise;
  } catch (error) {
    return { error };
  }
  return "nothing was thrown";
}

/** A function that throws at once. */
export const raise = (error: unknown) => (): never => {
  throw error;
};

/** A function that throws later. */
const later = (error: unknown) => async (): Promise<never> => {
  await checkpoint();
  throw error;
};

/** A task that has failed at once, and what `use` makes of it, sheltered from what that does to the nursery. */
async function withFailed<T>(thrown: unknown, use: (join: () => Promise<unknown>) => Promise<T>): Promise<T | undefined> {
  let value: T | undefined;
  await caught(
    openNursery((nursery) => {
      const task = nursery.startSoon(raise(thrown));
      return shield(async () => {
        value = await use(() => task.join());
      });
    }),
  );
  return value;
}

/** All places from which something of the user's can be thrown: each throws it, and tells what came out. */
export const PLACES: Record<string, (thrown: unknown, nursery: Nursery) => Promise<Caught | undefined>> = {
  "the body of a nursery": (thrown) => caught(openNursery(later(thrown))),
  "the body of a nursery, at once": (thrown) => caught(openNursery(raise(thrown))),
  "a task": (thrown) => caught(openNursery((nursery) => void nursery.startSoon(later(thrown)))),
  "a task, at once": (thrown) => caught(openNursery((nursery) => void nursery.startSoon(raise(thrown)))),
  "join() of a task that fails": (thrown) => withFailed(thrown, (join) => caught(join())),
  "join() of a task that has failed": (thrown) => withFailed(thrown, (join) => sleep(1).then(() => caught(join()))),
  "a task that starts": (thrown, nursery) => caught(nursery.start(later(thrown))),
  "a started task": (thrown) =>
    caught(
      openNursery((nursery) =>
        nursery.start<number>((_task, started) => {
          started(1);
          throw thrown;
        }),
      ),
    ),
  "a scope": (thrown) => caught(new CancelScope().run(later(thrown))),
  "moveOnAfter()": (thrown) => caught(moveOnAfter(5, later(thrown))),
  "failAfter()": (thrown) => caught(failAfter(5, later(thrown))),
  "shield()": (thrown) => caught(shield(later(thrown))),
  "a cleanup": (thrown) => caught(new CancelScope().run((scope) => scope.defer(raise(thrown)))),
  "a cleanup of a cancelled scope": (thrown) =>
    caught(
      new CancelScope().run((scope) => {
        scope.defer(raise(thrown));
        scope.cancel();
        scope.throwIfCancelled();
      }),
    ),
  "a cleanup of a task": (thrown) => caught(openNursery((nursery) => void nursery.startSoon((task) => task.defer(later(thrown))))),
  "a disposable": (thrown) => caught(new CancelScope().run((scope) => void scope.use({ [Symbol.dispose]: raise(thrown) }))),
  "park(), by `start`": (thrown) => caught(park(raise(thrown))),
  "park(), by `fail`": (thrown) => caught(park((parked) => void parked.fail(thrown))),
  "park(), by `onCancel`": (thrown) =>
    caught(
      new CancelScope().run(async (scope) => {
        const parked = park(() => raise(thrown));
        scope.cancel();
        await parked;
      }),
    ),
  "lock.run()": (thrown) => caught(new Lock().run(raise(thrown))),
  "Nursery.open()": async (thrown) => {
    const nursery = Nursery.open();
    nursery.startSoon(raise(thrown));
    return caught(nursery.join());
  },
  "a run inside": (thrown) => caught(run(later(thrown))),
  "a run apart": (thrown) => caught(run(raise(thrown), { detached: true })),
  "a nest of everything": (thrown) => {
    const nest = () => moveOnAfter(50, () => openNursery(() => failAfter(50, () => shield(later(thrown)))));
    return caught(openNursery((nursery) => void nursery.startSoon(nest)));
  },
  "a cancelled scope, in place of the cancellation": (thrown) =>
    caught(
      new CancelScope().run(async (scope) => {
        scope.cancel();
        await checkpoint().catch(() => {});
        throw thrown;
      }),
    ),
  "a cancelled task, in place of the cancellation": (thrown) =>
    caught(
      openNursery((nursery) => {
        nursery.startSoon(() => sleep(5).catch(raise(thrown)));
        nursery.cancel();
      }),
    ),
};
