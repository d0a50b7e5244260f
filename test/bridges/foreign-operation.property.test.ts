import fc from "fast-check";
import { expect, test } from "vitest";
import {
  abandonOnCancel,
  CancelScope,
  cancellable,
  fromCallback,
  isCancellation,
  now,
  OperationAborted,
  type Settle,
  sleep,
} from "../../src/index.js";
import { unhandledDuring } from "../kernel/support.js";
import { pickOf, schedules } from "../support/schedules.js";
import { simulate } from "../support/simulate.js";
import { deferred } from "./support.js";

const NEVER = 40;

/** A foreign operation, how it is bridged, and when it is cancelled: at times of which no two are one instant. */
interface Program {
  readonly bridge: "cancellable" | "abandonOnCancel" | "fromCallback";
  readonly settlesAt: number;
  readonly result: "value" | "resource" | "error" | "linked error";
  readonly cancelledAt: number | undefined;
  readonly settle: Settle | undefined;
  readonly onCancel: "none" | "nothing" | "false" | "late false" | "async" | "throws" | "rejects" | "settles";
  readonly callingOff: number;
  readonly hasOnLate: boolean;
}

const programs: fc.Arbitrary<Program> = fc.record({
  bridge: fc.constantFrom("cancellable", "abandonOnCancel", "fromCallback"),
  settlesAt: fc.oneof({ arbitrary: fc.nat({ max: 8 }), weight: 4 }, { arbitrary: fc.constant(NEVER), weight: 1 }),
  result: fc.constantFrom("value", "resource", "error", "linked error"),
  cancelledAt: fc.option(
    fc.nat({ max: 8 }).map((n) => n + 0.25),
    { nil: undefined, freq: 4 },
  ),
  settle: fc.constantFrom(undefined, "wait", "now"),
  onCancel: fc.constantFrom("none", "nothing", "false", "late false", "async", "throws", "rejects", "settles"),
  callingOff: fc.nat({ max: 4 }).map((n) => n + 0.25),
  hasOnLate: fc.boolean(),
});

interface Seen {
  readonly kind: "value" | "failure" | "cancellation" | "failed calling off";
  readonly at: number;
}

interface Observed {
  readonly seen: Seen;
  /** When `onCancel` was called. */
  readonly called: readonly number[];
  /** When a late value was handed to `onLate`, or disposed. */
  readonly late: readonly number[];
  readonly disposed: readonly number[];
  /** At which times, in between all others, something was left behind. */
  readonly abandoned: readonly number[];
}

async function observe(program: Program, schedule: number): Promise<Observed> {
  const { bridge, settlesAt, result, cancelledAt, settle, onCancel, callingOff, hasOnLate } = program;
  const [called, late, disposed, abandoned]: number[][] = [[], [], [], []];
  let seen: Seen | undefined;
  // What calls off, and what receives what is late, is called in no scope in particular.
  let time = () => 0;
  const failure = new Error("of the operation");
  const failedCallingOff = new Error("of calling off");
  const scope = new CancelScope();
  const value = result === "value" ? "value" : { [Symbol.dispose]: () => void disposed?.push(time()) };
  const isError = result === "error" || result === "linked error";
  await simulate(
    async (root) => {
      time = () => now(root);
      const { promise, resolve, reject } = deferred<unknown>();
      const errorNow = () => (result === "error" ? failure : new Error("linked", { cause: scope._reason }));
      let end = (ok: boolean) => (ok ? resolve(value) : reject(errorNow()));
      const callOff = (): unknown => {
        called?.push(time());
        if (onCancel === "false") return false;
        if (onCancel === "late false") return sleep(callingOff, root).then(() => false);
        if (onCancel === "async") return sleep(callingOff, root);
        if (onCancel === "throws") throw failedCallingOff;
        if (onCancel === "rejects") return sleep(callingOff, root).then(() => Promise.reject(failedCallingOff));
        if (onCancel === "settles") end(!isError);
        return undefined;
      };
      const common = { ...(hasOnLate ? { onLate: () => void late?.push(time()) } : {}), settle };
      const begin = () => {
        if (bridge === "abandonOnCancel") return abandonOnCancel(promise, common);
        if (bridge === "cancellable") return cancellable(() => promise, onCancel === "none" ? common : { ...common, onCancel: callOff });
        return fromCallback<unknown>((done) => {
          end = (ok) => (ok ? done(undefined, value) : done(errorNow()));
          if (settlesAt === 0) end(!isError);
          return onCancel === "none" ? undefined : callOff;
        }, common);
      };
      promise.catch(() => {});
      if (settlesAt === 0) end(!isError);
      else root.startSoon(() => sleep(settlesAt).then(() => end(!isError)));
      if (cancelledAt !== undefined) root.startSoon(() => sleep(cancelledAt).then(() => scope.cancel()));
      root.startSoon(async () => {
        for (let i = 0; i < NEVER + 10; i++) {
          await sleep(i === 0 ? 0.75 : 1);
          if (root.abandoned > 0) abandoned?.push(time());
          expect(root.abandoned).toBe(scope.abandoned);
        }
      });
      const note = (kind: Seen["kind"]) => {
        seen = { kind, at: time() };
      };
      const ran = scope.run(async () => {
        try {
          expect(await begin()).toBe(value);
          note("value");
        } catch (error) {
          if (error === failedCallingOff) note("failed calling off");
          else note(isCancellation(error) ? "cancellation" : "failure");
          if (error instanceof OperationAborted)
            expect(error).toMatchObject({ original: failure, cause: scope.signal.reason, name: "AbortError" });
          throw error;
        }
      });
      await ran.catch((error) => expect([failure.message, failedCallingOff.message, "linked"]).toContain(error.message));
      expect(scope.cancelledCaught).toBe(seen?.kind === "cancellation");
      expect(time()).toBe(seen?.at);
    },
    { pick: pickOf(schedule) },
  );
  expect(scope.abandoned).toBe(0);
  return { seen: seen as unknown as Seen, called, late, disposed, abandoned } as Observed;
}

/** What must be seen, told by the documentation. */
function expected(program: Program): Observed {
  const { bridge, settlesAt, cancelledAt: at, callingOff, hasOnLate } = program;
  const isError = program.result === "error" || program.result === "linked error";
  const isResource = program.result === "resource";
  const hasCall = program.onCancel !== "none" && bridge !== "abandonOnCancel";
  const onCancel = hasCall ? program.onCancel : "none";
  const nothing = { called: [], late: [], disposed: [], abandoned: [] };
  if (at === undefined || settlesAt < at) return { ...nothing, seen: { kind: isError ? "failure" : "value", at: settlesAt } };
  const settle = bridge === "abandonOnCancel" ? "now" : (program.settle ?? (bridge === "fromCallback" && hasCall ? "now" : "wait"));
  const takes = onCancel === "async" || onCancel === "rejects" || onCancel === "late false" ? callingOff : 0;
  const over = at + takes;
  const comes = onCancel === "settles" ? at : settlesAt;
  const called = hasCall ? [at] : [];
  const lateAt = (time: number) => ({
    late: !isError && hasOnLate ? [time] : [],
    disposed: isResource && !hasOnLate ? [time] : [],
  });
  const between = (from: number, to: number) =>
    Array.from({ length: NEVER + 10 }, (_, i) => i + 0.75).filter((time) => time > from && time < to);
  if (onCancel === "throws" || onCancel === "rejects") {
    const seen: Seen = { kind: "failed calling off", at: over };
    return comes < over
      ? { ...nothing, seen, called, ...lateAt(over) }
      : { seen, called, ...lateAt(comes), abandoned: between(over, comes) };
  }
  // A promise that is settled while it is called off tells so a moment later, a callback at once.
  const cameMeanwhile = takes > 0 ? comes <= over : onCancel === "settles" && bridge === "fromCallback";
  if (cameMeanwhile) return { ...nothing, called, seen: { kind: isError ? "cancellation" : "value", at: over } };
  const isRefused = onCancel === "false" || onCancel === "late false";
  if (settle === "wait" || isRefused) return { ...nothing, called, seen: { kind: isError ? "cancellation" : "value", at: comes } };
  const goesOn = bridge !== "fromCallback" || !hasCall;
  return { seen: { kind: "cancellation", at: over }, called, ...lateAt(comes), abandoned: goesOn ? between(over, comes) : [] };
}

test("what becomes of a foreign operation, of its value and of those who wait for it is as documented, under random schedules", async () => {
  const unhandled = await unhandledDuring(() =>
    fc.assert(
      fc.asyncProperty(programs, schedules(), async (program, schedule) => {
        expect(await observe(program, schedule)).toEqual(expected(program));
      }),
      { numRuns: 2_000 },
    ),
  );
  expect(unhandled).toEqual([]);
});
