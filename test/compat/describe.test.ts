import { describe, expect, it } from "vitest";
import { describe as described, rejectionOf, shapeOf } from "./harness/describe.js";

class APIUserAbortError extends Error {}

const controller = new AbortController();
const { signal } = controller;
const pending = new AbortController().signal;
const reason = new Error("stop");
controller.abort(reason);

describe("how a rejection relates to the reason", () => {
  it.each([
    [reason, "the reason itself"],
    [
      Object.assign(new Error("aborted", { cause: reason }), { name: "AbortError", code: "ABORT_ERR" }),
      "AbortError ABORT_ERR, its cause the reason",
    ],
    [new TypeError("failed", { cause: new Error("inner", { cause: reason }) }), "TypeError, in its causes the reason"],
    [Object.assign(new Error("aborted"), { name: "AbortError" }), "AbortError"],
    [
      new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) }),
      "TypeError, caused by Error ECONNRESET",
    ],
    [Object.assign(new Error("aborted"), { cause: {} }), "Error"],
    ["a string", "a string"],
    [undefined, "undefined"],
  ])("%o: %s", (error, text) => {
    expect(rejectionOf(error, signal)).toBe(text);
  });

  it("is of no account before there is one", () => {
    expect(rejectionOf(undefined, pending)).toBe("undefined");
    expect(rejectionOf(new Error("x", { cause: new TypeError("y") }), pending)).toBe("Error");
  });

  it("is found in a circle of causes, or not", () => {
    const error = new Error("a");
    error.cause = error;
    expect(rejectionOf(error, signal)).toBe("Error, caused by Error");
  });
});

describe("an error", () => {
  it("is called by its class where its name says nothing", () => {
    expect(shapeOf(new APIUserAbortError("x"))).toBe("APIUserAbortError");
    expect(shapeOf(new DOMException("x", "AbortError"))).toBe("AbortError 20");
  });

  it("is told in one line with its causes", () => {
    const error = new Error("first\nsecond", { cause: Object.assign(new Error("inner"), { code: 3 }) });
    expect(described(error)).toBe("Error: first (caused by Error 3: inner)");
  });
});
