import { expect, test } from "vitest";
import { all, any, type CancelScope, hedge, map, openNursery, race } from "../../src/index.js";
import { rejectionOf } from "../kernel/support.js";
import { simulate } from "../support/simulate.js";
import { Resource } from "./jobs.js";

type Work = (scope: CancelScope) => Resource;

const runners: Readonly<Record<string, (work: Work) => Promise<unknown>>> = {
  "a nursery": (work) => openNursery((nursery) => void nursery.startSoon(work)),
  "all()": (work) => all([work]),
  "any()": (work) => any([work]),
  "race()": (work) => race([work]),
  "hedge()": (work) => hedge(work, { delay: 1, attempts: 1 }),
  "map()": (work) => map([1], (_, scope) => work(scope)),
};

test.each(
  Object.entries(runners),
)("%s: what a task brings is disposed if a cleanup of it fails, because that makes it a failure", async (_, run) => {
  await simulate(async () => {
    const resource = new Resource(0, false);
    const boom = new Error("cleanup");
    const error = await rejectionOf(
      run((scope) => {
        scope.defer(() => {
          throw boom;
        });
        return resource;
      }),
    );
    expect(error instanceof AggregateError ? error.errors : [error]).toEqual([boom]);
    expect(resource.disposals).toBe(1);
  });
});
