import { EventEmitter, getEventListeners } from "node:events";
import { expect } from "vitest";
import {
  abandonOnCancel,
  cancellable,
  fromCallback,
  fromEvent,
  fromEvents,
  isCancellation,
  type Nursery,
  openNursery,
  shield,
  sleep,
  toPromise,
} from "../../../src/index.js";
import { holds } from "./self.js";

const boom = new Error("boom");

/** Foreign work, in virtual time: it is done, or called off, and goes on as long as there is anybody who may ask, whatever is cancelled. */
class Service {
  #callers = 0;
  readonly #answers: (() => void)[] = [];
  begun = 0;
  calledOff = 0;
  answered = 0;

  /** Calls back once, when the service runs on. Returns how to call it off. */
  ask(callBack: (answer: string) => void): () => void {
    this.begun++;
    let isPending = true;
    this.#answers.push(() => {
      if (!isPending) return;
      isPending = false;
      this.answered++;
      callBack("answer");
    });
    return () => {
      if (!isPending) return;
      isPending = false;
      this.calledOff++;
    };
  }

  caller(nursery: Nursery, name: string, body: () => Promise<unknown>): void {
    this.#callers++;
    nursery.startSoon(() => body().finally(() => this.#callers--), { name });
  }

  /** Answers what has been asked, and calls `tick`, every other millisecond. */
  runIn(nursery: Nursery, tick?: () => void): void {
    const serve = async () => {
      while (this.#callers > 0) {
        await sleep(2);
        for (const answer of this.#answers.splice(0)) answer();
        tick?.();
      }
    };
    nursery.startSoon(() => shield(serve), { name: "service" });
  }

  get isSettled(): boolean {
    return this.#callers === 0 && this.answered + this.calledOff === this.begun;
  }
}

holds("fromCallback", (nursery) => {
  const service = new Service();
  const got: string[] = [];
  for (const name of ["one", "two"]) {
    service.caller(nursery, name, () => fromCallback<string>((done) => service.ask(done.resolve)).then((answer) => got.push(answer)));
  }
  service.runIn(nursery);
  return {
    always: () => expect([service.isSettled, got.length]).toEqual([true, service.answered]),
    complete: () => expect(got).toHaveLength(2),
  };
});

holds("cancellable", (nursery) => {
  const service = new Service();
  const got: string[] = [];
  const ask = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      const callOff = service.ask(resolve);
      signal.addEventListener("abort", () => {
        callOff();
        reject(new Error("socket hang up"));
      });
    });
  for (const name of ["one", "two"]) service.caller(nursery, name, () => cancellable(ask).then((answer) => got.push(answer)));
  service.runIn(nursery);
  return {
    always: () => expect([service.isSettled, got.length]).toEqual([true, service.answered]),
    complete: () => expect(got).toHaveLength(2),
  };
});

holds("abandonOnCancel", (nursery) => {
  const service = new Service();
  const got: string[] = [];
  const late: string[] = [];
  for (const name of ["one", "two"]) {
    service.caller(nursery, name, async () => {
      const answer = new Promise<string>((resolve) => service.ask(resolve));
      got.push(await abandonOnCancel(answer, { onLate: (value) => late.push(value) }));
    });
  }
  service.runIn(nursery);
  return {
    // What nobody waits for any more may go on, and what comes of it is taken care of.
    always: () => expect(got.length + late.length).toBe(service.answered),
    complete: () => expect([got, late]).toEqual([["answer", "answer"], []]),
  };
});

holds("fromEvent", (nursery) => {
  const service = new Service();
  const emitter = new EventEmitter();
  const target = new EventTarget();
  const got: unknown[] = [];
  service.caller(nursery, "emitter", () => fromEvent<[number]>(emitter, "data").then(([value]) => got.push(value)));
  service.caller(nursery, "target", () => fromEvent(target, "data").then(({ type }) => got.push(type)));
  service.runIn(nursery, () => {
    emitter.emit("data", 1);
    target.dispatchEvent(new Event("data"));
  });
  return {
    always: () => expect([emitter.eventNames(), getEventListeners(target, "data")]).toEqual([[], []]),
    complete: () => expect(new Set(got)).toEqual(new Set([1, "data"])),
  };
});

holds("fromEvents", (nursery) => {
  const service = new Service();
  const emitter = new EventEmitter();
  const got: number[] = [];
  const heard: number[] = [];
  service.caller(nursery, "reader", async () => {
    for await (const [value] of fromEvents<[number]>(emitter, "data", { endOn: "end", capacity: 8 })) {
      got.push(value);
      await sleep(3);
    }
  });
  let next = 0;
  service.runIn(nursery, () => {
    if (next === 3) emitter.emit("end");
    else if (emitter.emit("data", next)) heard.push(next++);
    else next++;
  });
  return {
    always: () => {
      expect(emitter.eventNames()).toEqual([]);
      expect(got).toEqual(heard.slice(0, got.length));
    },
    complete: () => expect(got).toEqual(heard),
  };
});

holds("toPromise", (nursery) => {
  const controller = new AbortController();
  let inside = 0;
  const body = async () => {
    inside++;
    try {
      await sleep(2);
      return "value";
    } finally {
      inside--;
    }
  };
  const outcomes: unknown[] = [];
  nursery.startSoon(
    () =>
      openNursery(async (inner) => {
        const promise = toPromise(body, { nursery: inner, signal: controller.signal });
        outcomes.push(await promise.catch((error: unknown) => error));
      }),
    { name: "caller" },
  );
  nursery.startSoon(() => sleep(1).finally(() => controller.abort(boom)), { name: "aborter" });
  return {
    always: () => {
      expect(inside).toBe(0);
      const isFault = (outcome: unknown) => (outcome as Error).message.startsWith("a fault was injected");
      for (const outcome of outcomes)
        expect(outcome === "value" || outcome === boom || isCancellation(outcome) || isFault(outcome)).toBe(true);
    },
  };
});
