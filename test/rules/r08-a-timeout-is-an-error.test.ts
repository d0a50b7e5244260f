import { describe, expect, test } from "vitest";
import {
  Cancelled,
  CancelScope,
  ErrorGroup,
  failAfter,
  isCancellation,
  moveOnAfter,
  openNursery,
  shield,
  sleep,
  sleepForever,
  TimeoutError,
} from "../../src/index.js";
import { simulate } from "../support/simulate.js";

class NamedTimeout extends Error {
  override readonly name = "TimeoutError";
}

/** Errors that say that a time was over: whose, nobody here knows. */
const TIMEOUTS: Readonly<Record<string, () => Promise<unknown>>> = {
  "of a failAfter inside": () => failAfter(1, () => sleepForever()),
  "of a shield inside": () => shield(() => sleepForever(), { timeout: 1 }),
  "of AbortSignal.timeout()": () => Promise.reject(new DOMException("The operation was aborted due to timeout", "TimeoutError")),
  "of another library": () => Promise.reject(new NamedTimeout("too slow")),
};

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error;
  }
}

describe.each(Object.entries(TIMEOUTS))("R8: the TimeoutError %s", (_, timeOut) => {
  test("is a failure also in a scope that is cancelled: it comes out as it is", async () => {
    let thrown: unknown;
    const outcome = simulate(() =>
      new CancelScope().run(async (scope) => {
        thrown = await shield(() => errorOf(timeOut));
        scope.cancel();
        expect(isCancellation(thrown)).toBe(false);
        throw thrown;
      }),
    );
    expect(await errorOf(() => outcome)).toBe(thrown);
    expect(thrown).toMatchObject({ name: "TimeoutError" });
  });

  test("stays in a group from which cancellations are taken", async () => {
    let thrown: unknown;
    const outcome = simulate(() =>
      new CancelScope().run(async (scope) => {
        thrown = await shield(() => errorOf(timeOut));
        scope.cancel();
        const cancelled = await errorOf(() => sleepForever());
        throw new AggregateError([cancelled, thrown]);
      }),
    );
    expect(await errorOf(() => outcome)).toBe(thrown);
  });

  test("is nothing that an outer limit knows of: it passes failAfter and moveOnAfter, in time and out of time", async () => {
    for (const limit of [0, 1, 100]) {
      let thrown: unknown;
      const late = async () => {
        thrown = await shield(() => errorOf(timeOut));
        throw thrown;
      };
      expect(await errorOf(() => simulate(() => failAfter(limit, late)))).toBe(thrown);
      expect(await errorOf(() => simulate(() => moveOnAfter(limit, late)))).toBe(thrown);
    }
  });

  test("cancels the nursery that it fails in", async () => {
    let reason: unknown;
    let thrown: unknown;
    const outcome = simulate(() =>
      openNursery((nursery) => {
        nursery.startSoon(async () => {
          thrown = await shield(() => errorOf(timeOut));
          throw thrown;
        });
        nursery.startSoon(async () => {
          reason = await errorOf(() => sleepForever());
          throw reason;
        });
      }),
    );
    expect(await errorOf(() => outcome)).toBe(thrown);
    expect(reason).toBeInstanceOf(Cancelled);
    expect((reason as Cancelled).cause).toBe(thrown);
  });
});

describe("R8: failAfter", () => {
  test("returns the value of a body that comes to its end all the same, late", async () => {
    const value = await simulate(() => failAfter(1, () => shield(() => sleep(5).then(() => "late"))));
    expect(value).toBe("late");
  });

  test("throws TimeoutError also if its scope was cancelled by its own cancel(), and says so", async () => {
    const error = await errorOf(() =>
      simulate(() =>
        failAfter(5, async (scope) => {
          scope.cancel();
          await sleep(1);
        }),
      ),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).message).toMatch(/its own cancel\(\) was called/);
  });

  test("keeps what failed in it, in time or late: a timeout does not replace an error", async () => {
    const boom = new Error("expected");
    for (const delay of [1, 9]) {
      const body = () =>
        shield(() => sleep(delay)).then(() => {
          throw boom;
        });
      expect(await errorOf(() => simulate(() => failAfter(5, body)))).toBe(boom);
    }
  });

  test("in a task is a failure of its nursery, side by side with others", async () => {
    const boom = new Error("expected");
    const error = await errorOf(() =>
      simulate((root) => {
        root.startSoon(() => failAfter(1, () => sleepForever()));
        root.startSoon(() => sleepForever().catch(() => Promise.reject(boom)));
      }),
    );
    expect(error).toBeInstanceOf(ErrorGroup);
    expect((error as ErrorGroup).errors).toEqual([expect.any(TimeoutError), boom]);
  });
});
