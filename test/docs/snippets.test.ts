import { afterAll, describe, expect, test } from "vitest";
import { pages, textOf } from "./pages.js";
import { Programs } from "./programs.js";
import { lineOnPage, programOf, type Snippet, saidAndPrinted, snippetsOf } from "./snippets.js";

/** Pages whose pieces of code are run by another test. */
const ELSEWHERE = [
  "docs/compatibility.md", // is written by the suite that has run them
];

const snippets = pages.filter((page) => !ELSEWHERE.includes(page)).flatMap((page) => snippetsOf(page, textOf(page)));
const programs = new Programs(snippets);
afterAll(() => programs.remove());

test("the pages with the most code have been read", () => {
  const counted = (page: string) => snippets.filter((snippet) => snippet.page === page).length;
  expect(counted("README.md")).toBeGreaterThanOrEqual(3);
  expect(counted("docs/cancellation.md")).toBeGreaterThanOrEqual(10);
  expect(counted("docs/combinators.md")).toBeGreaterThanOrEqual(7);
  expect(counted("docs/recipes.md")).toBeGreaterThanOrEqual(20);

  expect(counted("docs/streams.md")).toBeGreaterThanOrEqual(12);
  expect(counted("docs/channels.md")).toBeGreaterThanOrEqual(5);
  expect(counted("docs/generators.md")).toBeGreaterThanOrEqual(8);
});

test("every snippet compiles, in full strictness", () => {
  expect(programs.complaints()).toEqual([]);
});

describe("every snippet runs, and prints what it says:", () => {
  test.each(snippets.map((snippet) => ({ name: `${snippet.page}:${snippet.line}`, snippet })))("$name", async ({ snippet }) => {
    const { said, printed } = saidAndPrinted(snippet, await programs.outputOf(snippet));
    expect(printed).toEqual(said);
  });
});

describe("the reader of pages", () => {
  test("finds the blocks that are TypeScript, with what is given to them, and what they print", () => {
    const page = [
      "text",
      "```ts",
      "console.log(1); // → 1",
      "// → 2",
      "```",
      "<!-- given",
      "// not this",
      "const x = 3;",
      "  const y = 4;",
      "-->",
      "",
      "   ```ts",
      "   x;",
      "     y;",
      "   ```",
      "",
      "```",
      "one",
      "  two",
      "```",
      "```",
      "not its output",
      "```",
      "```ts",
      "run(() => {",
      "```",
      "<!-- after",
      "});",
      "-->",
      "text",
      "```",
      "not its output",
      "```",
    ];
    const [one, two, three, ...more] = snippetsOf("page.md", page.join("\n"));
    expect(one).toEqual({
      page: "page.md",
      line: 3,
      given: "",
      code: "console.log(1); // → 1\n// → 2",
      after: "",
      prints: ["1", "2"],
      output: undefined,
    });
    expect(two).toMatchObject({ line: 13, code: "x;\n  y;", prints: [], output: ["one", "  two"] });
    expect(three).toMatchObject({ line: 25, code: "run(() => {", after: "});", output: undefined });
    expect(programOf(three as Snippet)).toBe("\nrun(() => {\n});\nexport {};\n");
    expect(more).toEqual([]);
    const program = programOf(two as Snippet);
    expect(program).toBe("const x = 3; const y = 4;\nx;\n  y;\n\nexport {};\n");
    expect([1, 2, 3].map((line) => lineOnPage(two as Snippet, line))).toEqual([13, 13, 14]);
  });

  test("complains of a page that is not what it seems", () => {
    expect(() => snippetsOf("page.md", "```ts\ncode")).toThrow("page.md:1 begins a block that has no end");
    expect(() => snippetsOf("page.md", "<!-- given\ncode")).toThrow("page.md:1 begins a comment that has no end");
    const separated = "page.md:4 comes between what is given and the block that it is given to";
    expect(() => snippetsOf("page.md", "<!-- given\nx\n-->\ntext\n```ts\n```")).toThrow(separated);
    expect(() => snippetsOf("page.md", "<!-- given\nx\n-->\n```\n```\n```ts\n```")).toThrow(separated);
    expect(() => snippetsOf("page.md", "```ts\n```\ntext\n<!-- after\n-->")).toThrow("page.md:4 comes after no block");
    expect(() => snippetsOf("page.md", "```ts\nf(); // → 1\n```\n\n```\n1\n```")).toThrow(
      "page.md:5 says once more what the block before it prints",
    );
  });
});

describe("the runner finds", () => {
  async function trying<T>(page: string, act: (programs: Programs, snippets: readonly Snippet[]) => T): Promise<Awaited<T>> {
    const snippets = snippetsOf("page.md", page);
    const programs = new Programs(snippets);
    try {
      return await act(programs, snippets);
    } finally {
      programs.remove();
    }
  }

  /** Whether it tells the truth. */
  function isTrue(page: string): Promise<boolean> {
    return trying(page, async (programs, [snippet]) => {
      const { said, printed } = saidAndPrinted(snippet as Snippet, await programs.outputOf(snippet as Snippet));
      return JSON.stringify(said) === JSON.stringify(printed);
    });
  }

  test("what does not compile, and where", async () => {
    const page = [
      "<!-- given",
      "import { all, run } from 'creche';",
      "const load = async () => 5;",
      "-->",
      "```ts",
      "const n: number = run(load);",
      "// @ts-expect-error",
      "all([load()]);",
      "```",
      "```ts",
      "import { none } from 'creche';",
      "// @ts-expect-error",
      "const m: number = 5;",
      "```",
    ];
    expect(await trying(page.join("\n"), (programs) => programs.complaints())).toEqual([
      "page.md:6 TS2322: Type 'Promise<number>' is not assignable to type 'number'.",
      "page.md:11 TS2305: Module '\"creche\"' has no exported member 'none'.",
      "page.md:12 TS2578: Unused '@ts-expect-error' directive.",
    ]);
  });

  test("what is not printed as the block after it says, line by line", async () => {
    const code = 'console.log("%s and", "one", { two: 2 });\nconsole.log("three\\nfour");';
    expect(await isTrue(`\`\`\`ts\n${code}\n\`\`\`\n\n\`\`\`\none and { two: 2 }\nthree\nfour\n\`\`\``)).toBe(true);
    expect(await isTrue(`\`\`\`ts\n${code}\n\`\`\`\n\n\`\`\`\none and { two: 2 } three\nfour\n\`\`\``)).toBe(false);
    expect(await isTrue(`\`\`\`ts\n${code}\n\`\`\`\n\n\`\`\`\none and { two: 2 }\nthree\n\`\`\``)).toBe(false);
  });

  test("what is not printed as the arrows say, word by word", async () => {
    expect(await isTrue('```ts\nconsole.log("a");\nconsole.log("b");\n// → a b\n```')).toBe(true);
    expect(await isTrue('```ts\nconsole.log("a");\nconsole.log("b");\n// → a c\n```')).toBe(false);
    expect(await isTrue('```ts\nconsole.log("a");\nconsole.log("b");\n// → a\n```')).toBe(false);
    expect(await isTrue('```ts\nconsole.log("a"); // prints something\n```')).toBe(false);
    expect(await isTrue("```ts\nconst quiet = 1;\n```")).toBe(true);
  });

  test("what is thrown", async () => {
    await expect(isTrue('```ts\nawait Promise.reject(new Error("of the snippet"));\n```')).rejects.toThrow("of the snippet");
  });

  test("no time has passed, unless it is that of the platform", async () => {
    const elapsed = (wait: string) =>
      ["import { now, run, sleep } from 'creche';", wait, "await run(async () => {", "  await sleep(3_600_000);", "  console.log(now());"]
        .concat("});", "// → 3600000")
        .join("\n")
        .replaceAll("'", '"');
    expect(await isTrue(`\`\`\`ts\n${elapsed("")}\n\`\`\``)).toBe(true);
    const real = 'import { now, run } from "creche";\nsetTimeout(() => {}, 0);\nawait run(() => console.log(now() > 0)); // → true';
    expect(await isTrue(`\`\`\`ts\n${real}\n\`\`\``)).toBe(true);
  });
});
