import { describe, expect, it } from "vitest";
import type { Probe } from "./harness/probe.js";
import type { Finding } from "./harness/run-probe.js";
import { authoredIn, documentOf } from "./report/document.js";
import { complaintsOf, endsAfter, kindOf, needlessWrapper, type Row } from "./report/row.js";
import { shownWrapper } from "./report/shown.js";
import { printed } from "./report/table.js";
import type { Result } from "./run-all.js";

// What the table and the document say, to the letter.

const nodes = [20, 24].map((major) => ({ major, version: `${major}.1.0`, path: "" }));

const finding = (scenario: Finding["scenario"], more: Partial<Finding> = {}): Finding => ({
  probe: "api(task)",
  scenario,
  complaints: [],
  left: [],
  ms: 2.4,
  rejection: undefined,
  ...more,
});

const waiting = finding("waiting", { rejection: "AbortError" });
const never = finding("waiting", { complaints: ["it never ends"] });

function rowOf(probe: Partial<Probe>, ...results: readonly Partial<Result>[]): Row {
  return {
    probe: { name: "api(task)", call: () => 1, genuine: () => true, ...probe },
    results: results.map((result, i) => ({
      id: "family/api(task)",
      node: nodes[i] as Result["node"],
      isWrapped: false,
      findings: [waiting],
      bare: undefined,
      complaints: [],
      ...result,
    })),
  };
}

const cellsOf = (row: Row) => documentOf([{ title: "Family", rows: [row] }], nodes, []).match(/^\| `.*$/m)?.[0];

describe("the lines for a wrapper", () => {
  const client = { query: (_sql: string) => Promise.resolve(1), destroy: () => {} };
  type Wrap = (...args: readonly unknown[]) => unknown;

  it("are the ones that are run, without the scope that is found by itself", () => {
    const call = (sql: string, task: unknown, wrap: Wrap) => wrap(() => client.query(sql), { onCancel: () => client.destroy() }, task);
    expect(shownWrapper(call)).toBe("await cancellable(() => client.query(sql), { onCancel: () => client.destroy() });");
  });

  it("have no options that say nothing", () => {
    const call = (sql: string, task: unknown, wrap: Wrap) => wrap(() => client.query(sql), {}, task);
    expect(shownWrapper(call)).toBe("await cancellable(() => client.query(sql));");
  });

  it("have the variables that they need", () => {
    const call = (sql: string, task: unknown, wrap: Wrap) => {
      let query: unknown;
      const ask = () => {
        query = client.query(sql);
      };
      return wrap(() => ask(), { onCancel: () => query }, task);
    };
    expect(shownWrapper(call)).toBe("let query;\nawait cancellable(() => ask(), { onCancel: () => query });");
  });

  it("are indented as one writes them, where the compiler indents by four", () => {
    const compiled = [
      "(way, task, client, wrap) => {",
      "        const request = way;",
      "        let call;",
      "        return wrap(() => {",
      "            call = client.ask(request);",
      "            if (call) {",
      "                call.go();",
      "            }",
      "        }, { onCancel: () => call.cancel() }, task);",
      "    }",
    ].join("\n");
    expect(shownWrapper({ toString: () => compiled } as never).split("\n")).toEqual([
      "let call;",
      "await cancellable(() => {",
      "  call = client.ask(request);",
      "  if (call) {",
      "    call.go();",
      "  }",
      "}, { onCancel: () => call.cancel() });",
    ]);
  });

  it("are missed where there are none", () => {
    expect(() => shownWrapper(() => 1)).toThrow("there is no wrapper in\n() => 1");
  });
});

describe("a row of the document", () => {
  it("that holds tells how soon it ends, so coarsely that it is the same each time", () => {
    expect(cellsOf(rowOf({}, {}, {}))).toBe("| `api(task)` | AbortError | at once | at once |  |");
    const [slow, slower] = [140, 1_200].map((ms) => ({ findings: [finding("waiting", { ms, rejection: "AbortError" })] }));
    expect(cellsOf(rowOf({}, slow ?? {}, slower ?? {}))).toBe("| `api(task)` | AbortError | within 1 s | within 10 s |  |");
  });

  it("has the least time of those that were tried", () => {
    const findings = [140, 3, 90].map((ms) => finding("waiting", { ms }));
    expect(endsAfter(rowOf({}, { findings }).results[0] as Result)).toBe(3);
  });

  it("tells which Node does what", () => {
    const row = rowOf({ note: "A note." }, {}, { findings: [finding("waiting", { rejection: "the reason itself", ms: 30 })] });
    expect(cellsOf(row)).toBe("| `api(task)` | Node 20: AbortError; Node 24: the reason itself | at once | at once | A note. |");
  });

  it("says what does not hold, and where it is not there", () => {
    const findings = [finding("waiting", { complaints: ["it never ends"] })];
    expect(cellsOf(rowOf({}, { findings }))).toBe("| `api(task)` | nothing: it ends normally | **does not hold** | not there |  |");
  });

  it("says what is left", () => {
    const often = (listenersLater: number) => finding("often", { often: { keptSignals: 0, listeners: 8, listenersLater } });
    const row = rowOf(
      { leaves: { what: "a timer", reports: /x/ }, genuine: undefined as never, resolves: true },
      { findings: [waiting, often(8)] },
      { findings: [waiting, often(0)] },
    );
    expect(cellsOf(row)).toBe(
      "| `api(task)` | AbortError | at once | at once | Look at the scope after it: `task.throwIfCancelled()`. Leaves a timer. " +
        "Node 20: Each call leaves a listener; Node 24: A call leaves a listener, until it is collected. It has no failure of its own. |",
    );
  });

  it("says nothing of the Node where nothing is left, if something is on one Node only", () => {
    const often = finding("often", { often: { keptSignals: 0, listeners: 8, listenersLater: 8 } });
    const row = rowOf({}, { findings: [waiting] }, { findings: [waiting, often] });
    expect(cellsOf(row)).toBe("| `api(task)` | AbortError | at once | at once | Node 24: Each call leaves a listener. |");
  });

  it("says nothing of a listener that does not stay for every call", () => {
    const often = finding("often", { often: { keptSignals: 0, listeners: 1, listenersLater: 1 } });
    expect(cellsOf(rowOf({}, { findings: [waiting, often] }))).toBe("| `api(task)` | AbortError | at once | not there |  |");
  });

  it("of an API without a signal tells what it does when it is called off", () => {
    const row = rowOf({ takesNoSignal: true, call: (_way, task, _env, wrap) => wrap(() => 1, {}, task) }, { isWrapped: true, bare: never });
    expect(cellsOf(row)).toBe("| `api(task)` | takes no signal; called off: AbortError | at once | not there | Needs `cancellable`. |");
  });

  it("of an API that does not settle says so", () => {
    const row = rowOf({ call: (_way, task, _env, wrap) => wrap(() => 1, {}, task) }, { isWrapped: true, bare: never });
    expect(cellsOf(row)).toBe("| `api(task)` | nothing: it does not settle | at once | not there | Needs `cancellable`. |");
  });

  it("can have every character", () => {
    expect(cellsOf(rowOf({ note: "a | b < c" }, {}))).toBe("| `api(task)` | AbortError | at once | not there | a \\| b &lt; c |");
  });

  it("with a wrapper shows it, and what happens without", () => {
    const call: Probe["call"] = (_way, task, _env, wrap) => wrap(() => 1, { settle: "now" }, task);
    const bare = finding("waiting", {
      complaints: ["the cancellation counts as a failure: Error ECONNRESET: aborted"],
      rejection: "Error ECONNRESET",
    });
    const row = rowOf({ call }, { isWrapped: true, bare });
    expect(cellsOf(row)).toBe("| `api(task)` | Error ECONNRESET | at once | not there | Needs `cancellable`. |");
    expect(documentOf([{ title: "Family", rows: [row] }], nodes, [])).toContain(
      "Without `cancellable`, the cancellation counts as a failure: Error ECONNRESET: aborted:\n\n" +
        '```ts\n// api(task)\nawait cancellable(() => 1, { settle: "now" });\n```',
    );
  });
});

describe("what happens without a wrapper", () => {
  const call: Probe["call"] = (_way, task, _env, wrap) => wrap(() => 1, {}, task);
  const reasonFor = (bare: Finding) => {
    const row = rowOf({ call }, { isWrapped: true, bare });
    return documentOf([{ title: "Family", rows: [row] }], nodes, []).match(/^Without `cancellable`, (.*):$/m)?.[1];
  };

  it("is told with its scenario, if that is not the wait", () => {
    expect(reasonFor(never)).toBe("it does not end");
    expect(reasonFor({ ...never, scenario: "before" })).toBe("cancelled before the call, it does not end");
  });

  it("tells what is left, and not that it is left later, too", () => {
    const complaints = ["left: TCPSocketWrap", "left: 1 connection(s) at the server", "left after closing: TCPSocketWrap"];
    expect(reasonFor(finding("waiting", { complaints }))).toBe("it leaves something open (TCPSocketWrap, 1 connection(s) at the server)");
  });

  it("is told once for all the rows of a part to which it happens", () => {
    const rows = ["one()", "two()"].map((name) => rowOf({ name, call }, { isWrapped: true, bare: never }));
    expect(documentOf([{ title: "Family", rows }], nodes, [])).toContain(
      "Without `cancellable`, it does not end:\n\n```ts\n// one()\nawait cancellable(() => 1);\n// two()\nawait cancellable(() => 1);\n```\n",
    );
  });
});

describe("the document", () => {
  const wrapped: Partial<Probe> = { name: "for await (… of b)", call: (_way, task, _env, wrap) => wrap(() => 1, {}, task) };

  it("tells its rows, and the lines for them, without what was measured", () => {
    const text = (waited: Finding) => {
      const rows = [rowOf({}, { findings: [waited] }), rowOf(wrapped, { isWrapped: true, bare: never })];
      return documentOf([{ title: "Family", rows }], nodes, []);
    };
    const authored = ["api(task)", "for await (… of b)", "// for await (… of b)\nawait cancellable(() => 1);\n"];
    expect(authoredIn(text(waiting))).toEqual(authored);
    expect(authoredIn(text(finding("waiting", { ms: 9_000, rejection: "another" })))).toEqual(authored);
  });

  it("sums up its rows by what they need", () => {
    const resolves = rowOf({ name: "ends(task)", resolves: true }, {});
    const silent = rowOf({ ...wrapped, name: "silent()", takesNoSignal: true }, { isWrapped: true, bare: never });
    const wrong = rowOf({ name: "wrong(task)" }, { findings: [never] });
    const rows = [rowOf({}, {}), resolves, rowOf(wrapped, { isWrapped: true, bare: never }), silent, wrong];
    expect(rows.map(kindOf)).toEqual(["holds", "resolves", "needs a wrapper", "takes no signal", "does not hold"]);
    expect(documentOf([{ title: "Family", rows }], nodes, [])).toContain(
      [
        "Of 5 rows,",
        "",
        "* 1 hold as they are: pass the scope, or its signal.",
        "* 1 end normally when they are cancelled: look at the scope after them. `ends(task)`.",
        "* 1 take a signal, and need `cancellable` all the same. `for await (… of b)`.",
        "* 1 take no signal: `cancellable` calls them off.",
        "* 1 **do not hold**. `wrong(task)`.",
      ].join("\n"),
    );
  });
});

describe("complaints", () => {
  it("are told once, with their scenario, those of the process after those of the scenarios", () => {
    const races = finding("races", { complaints: ["it never ends"] });
    const [result] = rowOf({}, { findings: [waiting, races, races], complaints: ["its process ended with 1"] }).results;
    expect(complaintsOf(result as Result)).toEqual(["races: it never ends", "its process ended with 1"]);
  });

  it("a wrapper that is needed on no Node is one", () => {
    const needless = "it needs no wrapper (any more): without, all that is tried holds";
    const needed = finding("waiting", { complaints: ["it never ends"] });
    expect(needlessWrapper(rowOf({}, { isWrapped: true, bare: waiting }, { isWrapped: true, bare: waiting }))).toBe(needless);
    expect(needlessWrapper(rowOf({}, { isWrapped: true, bare: waiting }, { isWrapped: true, bare: needed }))).toBe(undefined);
    expect(needlessWrapper(rowOf({}, {}))).toBe(undefined);
  });

  it("about a wrapper are printed below the line of its row", () => {
    const [, line, complaint] = printed("Family", [rowOf({}, { isWrapped: true, bare: waiting })], nodes).split("\n");
    expect(line).toMatch(/ {3}AbortError \[cancellable\]$/);
    expect(complaint).toBe("      it needs no wrapper (any more): without, all that is tried holds");
  });

  it("are printed below the line of their row", () => {
    const row = rowOf({}, { findings: [finding("waiting", { complaints: ["it never ends"] })] }, {});
    const [head, line, complaint] = printed("Family", [row], nodes).split("\n");
    expect(head).toMatch(/^Family {2,}Node 20 {2,}Node 24$/);
    expect(line).toMatch(/^ {2}api\(task\) {2,}WRONG {2,}2 ms {3}Node 20: nothing: it ends normally; Node 24: AbortError$/);
    expect(complaint).toBe("      Node 20: waiting: it never ends");
  });
});
