import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import {
  abandonOnCancel,
  ContextVariable,
  cancellable,
  collect,
  firstSuccess,
  fromCallback,
  fromEvent,
  fromEvents,
  moveOnAfter,
  type Nursery,
  openNursery,
  run,
  scopeFromSignal,
  until,
} from "../../src/index.js";
import { watchPlatform } from "../rules/r12-platform-watch.js";

describe("R12: nothing of the platform is used that is not asked for", () => {
  test("policies and context variables make no signal, no listener and no timer", async () => {
    const variable = new ContextVariable({ defaultValue: 0 });
    const used = await watchPlatform(() =>
      run(() =>
        variable.run(1, async () => {
          const body = (nursery: Pick<Nursery, "startSoon">) => void nursery.startSoon(() => variable.get());
          await openNursery(body, { policy: collect() });
          await openNursery(body, { policy: firstSuccess() });
          await openNursery(body, { policy: until(() => true) });
        }),
      ),
    );
    expect(used).toMatchObject({ controllers: 0, added: 0, removed: 0, armed: 0 });
  });

  test("callbacks, promises and events neither", async () => {
    const emitter = new EventEmitter();
    const used = await watchPlatform(() =>
      run(async (nursery) => {
        await fromCallback((done) => done(null));
        await abandonOnCancel(Promise.resolve());
        nursery.startSoon(() => emitter.emit("data"));
        await fromEvent(emitter, "data");
      }),
    );
    expect(used).toMatchObject({ controllers: 0, added: 0, removed: 0, armed: 0 });
  });

  test("what listens to a signal has removed its listeners", async () => {
    const { signal } = new AbortController();
    const used = await watchPlatform(() =>
      run(async () => {
        await scopeFromSignal(signal).run(() => cancellable(() => {}));
        await moveOnAfter(1, async () => {
          for await (const _ of fromEvents(new EventEmitter(), "data"));
        });
      }),
    );
    expect(used.added).toBe(used.removed);
    expect([used.added > 0, used.ticking]).toEqual([true, 0]);
  });
});
