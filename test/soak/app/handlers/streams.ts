import {
  type CancelScope,
  forEach,
  fromReadableStream,
  generate,
  map,
  mapStream,
  merge,
  openMemoryChannel,
  shield,
  toReadableStream,
} from "../../../../src/index.js";
import type { Call } from "../call.js";

/** Counts up, and says in a shielded `finally` that it was closed. */
async function* numbers(call: Call, count: number, task: CancelScope): AsyncGenerator<number> {
  const { ledger } = call.app;
  ledger.begin("generator");
  try {
    for (let n = 0; n < count; n++) {
      if (call.random.chance(0.3)) await call.work(task, 2);
      yield n;
    }
  } finally {
    await shield((scope) => call.work(scope, 1), task);
    ledger.end("generator");
  }
}

/** Generators in tasks of their own, alone and merged, left at their end, early, or by a failure: each is closed before the loop is left. */
export async function generated(call: Call, scope: CancelScope): Promise<void> {
  const count = call.random.below(8);
  const leaveAt = call.random.below(12);
  let open = 0;
  const source = () =>
    generate(async function* (task) {
      open++;
      try {
        yield* numbers(call, count, task);
      } finally {
        open--;
      }
    }, scope);
  let got = 0;
  const isMerged = call.random.chance(0.5);
  try {
    if (isMerged) {
      const last = { a: -1, b: -1 };
      for await (const { key, value } of merge({ a: source(), b: source() }, { signal: scope.signal, capacity: call.random.below(3) })) {
        call.check(value === last[key] + 1, () => `merge() gave ${value} of ${key} after ${last[key]}`);
        last[key] = value;
        if (++got === leaveAt) break;
      }
    } else {
      for await (const n of source()) {
        call.check(n === got, () => `generate() gave ${n} instead of ${got}`);
        if (++got === leaveAt) break;
        await call.mayFail(scope, 0.02);
      }
    }
  } finally {
    call.check(open === 0, () => `a loop was left, and ${open} of its generators go on`);
  }
}

/** Many items, few at a time, in order. */
export async function mapped(call: Call, scope: CancelScope): Promise<void> {
  const count = call.random.below(20);
  const concurrency = call.random.between(1, 4);
  let inside = 0;
  const each = async (n: number, inner: CancelScope) => {
    call.check(typeof n === "number", () => `an item is ${n}`);
    call.check(++inside <= concurrency, () => `${inside} items at a time, and not ${concurrency} at most`);
    inner.defer(() => inside--);
    await call.mayFail(inner, 0.02);
    return n;
  };
  const items = call.random.chance(0.5) ? Array.from({ length: count }, (_, n) => n) : (task: CancelScope) => numbers(call, count, task);
  switch (call.random.below(4)) {
    case 0: {
      const results = await map<number, number>(items, each, { concurrency }, call.at(scope));
      call.check(results.length === count && results.every((n, i) => n === i), () => `map() gave ${results}`);
      return;
    }
    case 1:
      return forEach<number>(items, each, { concurrency }, call.at(scope));
    case 2: {
      const { send, receive } = openMemoryChannel<number>(count);
      for (let n = 0; n < count; n++) send.sendNowait(n);
      if (call.random.chance(0.5)) send.close();
      else setTimeout(() => send.close(), 2);
      return forEach<number>(receive, each, { concurrency }, call.at(scope));
    }
    default: {
      let got = 0;
      const leaveAt = call.random.below(30);
      for await (const n of mapStream<number, number>(items, each, { concurrency, window: concurrency + call.random.below(4) }, scope)) {
        call.check(n === got++, () => `mapStream() gave ${n} instead of ${got - 1}`);
        if (got === leaveAt) break;
      }
    }
  }
}

/** Items through a web stream and back. */
export async function webStreams(call: Call, scope: CancelScope): Promise<void> {
  const count = call.random.below(8);
  const leaveAt = call.random.below(16);
  const stream = toReadableStream(
    generate((task) => numbers(call, count, task), scope),
    { signal: scope.signal },
  );
  let got = 0;
  for await (const n of fromReadableStream(stream, { signal: scope.signal })) {
    call.check(n === got++, () => `a stream gave ${n} instead of ${got - 1}`);
    if (got === leaveAt) return;
  }
  call.check(got === count, () => `a stream of ${count} items ended after ${got}`);
}
