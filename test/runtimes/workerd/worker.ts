import {
  type Cancellable,
  currentScope,
  Event,
  failAfter,
  isCancellation,
  map,
  moveOnAfter,
  openMemoryChannel,
  openNursery,
  run,
  sleep,
  TimeoutError,
} from "creche";

// Answers with what each of a few programs comes to. Scopes are passed, so that it runs the same with and without an ambient one; only `ambient` needs one.

const PROGRAMS: Readonly<Record<string, () => Promise<unknown>>> = {
  nursery: async () => {
    const log: string[] = [];
    await run(async (nursery) => {
      for (const name of ["a", "b"]) {
        nursery.startSoon(async (task) => {
          await sleep(name === "a" ? 20 : 5, task);
          log.push(name);
        });
      }
    });
    return log;
  },
  failure: async () => {
    const log: string[] = [];
    try {
      await run(async (nursery) => {
        nursery.startSoon(async (task) => {
          try {
            await sleep(60_000, task);
          } catch (error) {
            log.push(isCancellation(error, task) ? "cancelled" : `threw ${error}`);
            throw error;
          }
        });
        nursery.startSoon(async (task) => {
          await sleep(1, task);
          throw new Error("boom");
        });
      });
    } catch (error) {
      log.push(`caught ${error}`);
    }
    return log;
  },
  cancel: () =>
    run(async (nursery) => {
      let isDone = false;
      await openNursery(async (inner) => {
        inner.startSoon(async (task) => {
          await sleep(60_000, task);
          isDone = true;
        });
        await sleep(1, inner);
        inner.cancel("enough");
      }, nursery);
      return isDone;
    }),
  timeout: () =>
    run(async (nursery) => {
      const moved = await moveOnAfter(5, (scope) => sleep(60_000, scope), nursery);
      const failed = await failAfter(5, (scope) => sleep(60_000, scope), nursery).catch((error) => error instanceof TimeoutError);
      return [moved === undefined, failed];
    }),
  channel: () =>
    run(async (nursery) => {
      const [send, receive] = openMemoryChannel<number>(1);
      nursery.startSoon(async (task) => {
        for (let i = 0; i < 4; i++) await send.send(i, task);
        send.close();
      });
      const items: number[] = [];
      for await (const item of receive.values(nursery)) items.push(item);
      return items;
    }),
  map: () =>
    run((nursery) =>
      map(
        [3, 1, 2],
        async (n: number, scope: Cancellable) => {
          await sleep(n, scope);
          return n * 10;
        },
        { signal: nursery.signal, limit: 2 },
      ),
    ),
  foreign: () =>
    run(async (nursery) => {
      const controller = new AbortController();
      const event = new Event();
      nursery.startSoon(async (task) => {
        await sleep(5, task);
        controller.abort(new Error("the client left"));
      });
      return event.wait({ signal: controller.signal }).then(
        () => "went on",
        (error: unknown) => `${(error as Error).name} by ${(error as Error).cause}`,
      );
    }),
  ambient: () =>
    run(async (nursery) => {
      try {
        await sleep(1);
        return currentScope() === nursery;
      } catch (error) {
        return (error as Error).name;
      }
    }),
};

export default {
  async fetch(): Promise<Response> {
    const answers: Record<string, unknown> = {};
    for (const [name, program] of Object.entries(PROGRAMS)) {
      answers[name] = await program().catch((error: unknown) => `failed: ${error}`);
    }
    return Response.json(answers);
  },
};
