// Run by `node --test`, with the library as it is built.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkpoint, openNursery, sleep } from "creche";
import { groupOf, simTest, simTestFor } from "creche/testing";

async function count() {
  let value = 0;
  const add = async () => {
    const before = value;
    await checkpoint();
    value = before + 1;
  };
  await openNursery((nursery) => {
    nursery.startSoon(add, { name: "A" });
    nursery.startSoon(
      async () => {
        await checkpoint();
        await checkpoint();
        await add();
      },
      { name: "B" },
    );
  });
  assert.equal(value, 2);
}

simTestFor(test)("an hour passes", async () => {
  await sleep(3_600_000);
});
simTest("an update is lost", count);
simTest.cancellation("nothing is lost", () => sleep(1));
simTest(
  "groups",
  async () => {
    const failing = openNursery(
      (nursery) => {
        nursery.startSoon(() => Promise.reject(new TypeError("one")));
        nursery.startSoon(() => Promise.reject(new RangeError("two")));
      },
      { errors: "group" },
    );
    await assert.rejects(failing, groupOf(TypeError));
  },
  { schedules: 3 },
);
