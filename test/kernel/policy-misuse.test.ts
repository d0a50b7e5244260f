import { describe, expect, test } from "vitest";
import { collect, firstSuccess, type JoinPolicy, Nursery, openNursery, run, sleepForever, UsageError, until } from "../../src/index.js";
import { simulate } from "../support/simulate.js";
import { rejectionAs, rejectionOf, thrownBy } from "./support.js";

const message = (given: string) => `\`policy\` of a nursery is an object with onSettled(), and with result() if it has one, not ${given}`;

/** As a caller without types passes it. */
function untyped(policy: unknown): { readonly policy: JoinPolicy<unknown, unknown> } {
  return { policy: policy as JoinPolicy };
}

describe("what is no policy is refused when the nursery is opened, and the body is not called:", () => {
  test.each<[string, unknown, string]>([
    ["a string", "collect", '"collect"'],
    ["null", null, "null"],
    ["an object without onSettled()", { result: () => 1 }, "an object"],
    ["a result that is no function", { onSettled: () => "continue", result: 1 }, "an object"],
    ["a keeps that is no function", { onSettled: () => "continue", result: () => 1, keeps: true }, "an object"],
    ["the function that makes one", collect, "function collect: pass collect(), not collect"],
  ])("%s", async (_, policy, given) => {
    let isCalled = false;
    await simulate(async () => {
      const error = await rejectionAs(
        TypeError,
        openNursery(() => {
          isCalled = true;
        }, untyped(policy)),
      );
      expect(error.message).toBe(message(given));
      expect(thrownBy(() => Nursery.open(untyped(policy)))).toBeInstanceOf(TypeError);
      await rejectionAs(
        TypeError,
        run(
          () => {
            isCalled = true;
          },
          untyped(policy === null ? "null" : { onSettled: 1 }) as object,
        ),
      );
    });
    expect(isCalled).toBe(false);
  });

  test("until() without a predicate", () => {
    const error = thrownBy(() => until("x" as unknown as () => boolean));
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toBe('until() takes a function, not "x"');
  });
});

describe("a policy that has a result knows of the tasks of one nursery, so a second nursery is refused", () => {
  test("one after the other, and at once", async () => {
    await simulate(async () => {
      const policy = until(() => false);
      await openNursery(
        async () => {
          const error = await rejectionAs(
            UsageError,
            openNursery(() => {}, { policy }),
          );
          expect(error.message).toBe("this policy was given to a nursery before, and knows of the tasks there: make one for each nursery");
        },
        { policy },
      );
      await rejectionAs(
        UsageError,
        openNursery(() => {}, { policy }),
      );
    });
  });

  test("one without a result may be shared", async () => {
    await simulate(async () => {
      const policy = collect();
      await openNursery(() => openNursery(() => {}, { policy }), { policy });
    });
  });
});

describe("an answer that is none is a failure of the nursery, and cancels it:", () => {
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "undefined"],
    ["another word", "stop", '"stop"'],
    ["a promise of an answer", Promise.resolve("continue"), "a Promise"],
  ])("%s", async (_, answer, given) => {
    await simulate(async () => {
      const failing = openNursery(
        (nursery) => {
          nursery.startSoon(() => sleepForever());
          nursery.startSoon(() => {});
        },
        untyped({ onSettled: () => answer, result: () => "result" }),
      );
      const error = await rejectionAs(UsageError, failing);
      expect(error.message).toBe(`onSettled() of a policy returns "continue" or "cancel", at once, not ${given}`);
    });
  });
});

describe("a promise is none either:", () => {
  test.each<[string, (pass: () => Promise<unknown>) => unknown, string]>([
    [
      "as an answer of the predicate of until()",
      (later) => until(later as never),
      "the predicate of until() returns true or false, at once, not a Promise",
    ],
    [
      "as a result",
      (later) => ({ onSettled: () => "continue", result: later }),
      "result() of a policy returns its result at once, not a promise: nothing in the nursery would wait for that",
    ],
  ])("%s", async (_, make, message) => {
    await simulate(async () => {
      const body = (nursery: Pick<Nursery, "startSoon">) => void nursery.startSoon(() => "value");
      const error = await rejectionAs(UsageError, openNursery(body, untyped(make(async () => true))));
      expect(error.message).toBe(message);
    });
  });
});

test("options that cannot be read are a rejection, as everywhere", async () => {
  await simulate(async () => {
    const options = {
      get policy() {
        throw new Error("hostile");
      },
    };
    expect(await rejectionOf(openNursery(() => {}, options as object))).toMatchObject({ message: "hostile" });
  });
});

test("the error of a task is kept also if the policy that is told of it throws", async () => {
  await simulate(async () => {
    const [boom, bang] = [new Error("boom"), new Error("bang")];
    const throws = {
      onSettled: () => {
        throw bang;
      },
    };
    const body = (nursery: Pick<Nursery, "startSoon">) => void nursery.startSoon(() => Promise.reject(boom));
    expect(await rejectionOf(openNursery(body, untyped(throws)))).toMatchObject({ errors: [boom, bang] });
    expect(await rejectionOf(openNursery(body, untyped({ ...throws, result: () => "result" })))).toMatchObject({ errors: [boom, bang] });
  });
});

test("join() of a policy's nursery that has a body is refused as of any other", async () => {
  await simulate(() =>
    openNursery(
      async (nursery) => {
        nursery.startSoon(() => "value");
        await rejectionAs(UsageError, nursery.join());
      },
      { policy: firstSuccess<string>() },
    ),
  );
});
