import { describe, expect, test } from "vitest";
import { CancelScope, checkpoint, failAfter, failAt, moveOnAfter, moveOnAt, sleep, sleepUntil, UsageError } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionOf, thrownBy } from "./support.js";

const never = Number.POSITIVE_INFINITY;

describe("DL5: a wrong time is an error at the call:", () => {
  const nan = Number.NaN;
  const wrong: [call: string, error: Error, body: () => unknown][] = [
    ["CancelScope({ timeout: NaN })", duration("timeout", nan), () => new CancelScope({ timeout: nan })],
    ["CancelScope({ timeout: -1 })", duration("timeout", -1), () => new CancelScope({ timeout: -1 })],
    ["CancelScope({ timeout: -Infinity })", duration("timeout", -never), () => new CancelScope({ timeout: -never })],
    [
      "CancelScope({ timeout: '5' })",
      new TypeError('timeout is a number of milliseconds, not "5"'),
      () => new CancelScope({ timeout: "5" as never }),
    ],
    ["CancelScope({ cleanupTimeout: -1 })", duration("cleanupTimeout", -1), () => new CancelScope({ cleanupTimeout: -1 })],
    [
      "CancelScope({ deadline: NaN })",
      new RangeError("deadline is an instant of now(), in milliseconds, not NaN"),
      () => new CancelScope({ deadline: nan }),
    ],
    [
      "CancelScope({ deadline: new Date() })",
      new TypeError("deadline is an instant of now(), in milliseconds, not a Date"),
      () => new CancelScope({ deadline: new Date(0) as never }),
    ],
    [
      "CancelScope({ timeout, deadline })",
      new UsageError("a scope takes `timeout` (milliseconds from its entry) or `deadline` (an instant of now()), not both"),
      () => new CancelScope({ timeout: 1, deadline: 1 }),
    ],
    [
      "scope.deadline = NaN",
      new RangeError("deadline is an instant of now(), in milliseconds, not NaN"),
      () => {
        new CancelScope().deadline = nan;
      },
    ],
  ];
  for (const [call, error, body] of wrong) test(call, () => expect(thrownBy(body)).toEqual(error));

  const rejected: [call: string, error: Error, body: () => Promise<unknown>][] = [
    ["moveOnAfter(NaN)", duration("timeout", nan), () => moveOnAfter(nan, () => {})],
    ["moveOnAfter(-1)", duration("timeout", -1), () => moveOnAfter(-1, () => {})],
    ["failAfter(-1)", duration("timeout", -1), () => failAfter(-1, () => {})],
    ["moveOnAt(NaN)", new RangeError("deadline is an instant of now(), in milliseconds, not NaN"), () => moveOnAt(nan, () => {})],
    ["failAt(NaN)", new RangeError("deadline is an instant of now(), in milliseconds, not NaN"), () => failAt(nan, () => {})],
    ["sleep(NaN)", duration("the time of sleep()", nan), () => sleep(nan)],
    ["sleep(-1)", duration("the time of sleep()", -1), () => sleep(-1)],
    ["sleep('1')", new TypeError('the time of sleep() is a number of milliseconds, not "1"'), () => sleep("1" as never)],
    ["sleepUntil(NaN)", new RangeError("the time of sleepUntil() is an instant of now(), in milliseconds, not NaN"), () => sleepUntil(nan)],
  ];
  for (const [call, error, body] of rejected) {
    test(`${call} rejects`, async () => {
      await simulate(async () => expect(await rejectionOf(body())).toEqual(error));
    });
  }

  test("a negative instant is legal: it has passed", async () => {
    expect(await simulate(() => moveOnAt(-5, () => checkpoint().then(() => "never")))).toBe(undefined);
    await simulate(() => sleepUntil(-5));
  });

  function duration(what: string, ms: number): RangeError {
    return new RangeError(`${what} is a number of milliseconds that is not negative (Infinity for no limit), not ${ms}`);
  }
});
