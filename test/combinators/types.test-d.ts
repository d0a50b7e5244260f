import { describe, expectTypeOf, test } from "vitest";
import {
  all,
  allSettled,
  any,
  type CancelScope,
  every,
  forEach,
  hedge,
  map,
  mapStream,
  poll,
  race,
  retry,
  sleep,
  staggered,
  type Task,
  type TaskFunction,
} from "../../src/index.js";

declare const scope: CancelScope;
declare const text: Promise<string>;
declare const urls: string[];
declare function fetchPage(url: string, scope?: { signal?: AbortSignal | undefined }): Promise<Response>;

describe("all()", () => {
  test("of a list has a tuple of results", () => {
    expectTypeOf(all([async () => 1, () => "a", (own) => sleep(1, own)])).resolves.toEqualTypeOf<[number, string, void]>();
    expectTypeOf(all([async () => 1, () => "a"] as const, scope)).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(all([])).resolves.toEqualTypeOf<[]>();
  });

  test("of an array, or of any iterable, has an array of results", () => {
    const downloads = urls.map((url) => (own: Task) => fetchPage(url, own));
    expectTypeOf(all(downloads)).resolves.toEqualTypeOf<Response[]>();
    expectTypeOf(all(new Set(downloads))).resolves.toEqualTypeOf<Response[]>();
    expectTypeOf(all(new Set([() => 1, async () => "a"]))).resolves.toEqualTypeOf<(number | string)[]>();
  });

  test("of a record has a record of results", () => {
    const results = all({ user: async () => ({ id: 1 }), posts: (own) => fetchPage("posts", own), "a b": () => null });
    expectTypeOf(results).resolves.toEqualTypeOf<{ user: { id: number }; posts: Response; "a b": null }>();
  });

  test("unwraps promises, and promises of promises", () => {
    expectTypeOf(all([() => Promise.resolve(Promise.resolve(1))])).resolves.toEqualTypeOf<[number]>();
  });

  test("passes each the scope of its task", () => {
    all([(own) => expectTypeOf(own).toEqualTypeOf<Task>()]);
    all({ a: (own) => expectTypeOf(own).toEqualTypeOf<Task>() });
  });

  test("refuses promises", () => {
    // @ts-expect-error a promise runs already
    void all([text]);
    // @ts-expect-error a promise runs already
    void all([() => 1, text]);
    // @ts-expect-error a promise runs already
    void all({ a: text });
    // @ts-expect-error a promise runs already
    void all(urls.map((url) => fetchPage(url)));
    // @ts-expect-error no list
    void all(text);
    // @ts-expect-error no functions
    void all([1]);
    // @ts-expect-error it has no idea of this parameter
    void all([(_own: Task, index: number) => index]);
  });
});

test("allSettled() has the results of Promise.allSettled", () => {
  expectTypeOf(allSettled([async () => 1, () => "a"])).resolves.toEqualTypeOf<
    [PromiseSettledResult<number>, PromiseSettledResult<string>]
  >();
  expectTypeOf(allSettled({ a: async () => 1 })).resolves.toEqualTypeOf<{ a: PromiseSettledResult<number> }>();
  expectTypeOf(allSettled(new Set([async () => 1]))).resolves.toEqualTypeOf<PromiseSettledResult<number>[]>();
  // @ts-expect-error a promise runs already
  void allSettled([text]);
});

test("race(), any() and staggered() have one of the results", () => {
  expectTypeOf(race([async () => 1, () => "a"])).resolves.toEqualTypeOf<number | string>();
  expectTypeOf(any([async () => 1, () => "a"], scope)).resolves.toEqualTypeOf<number | string>();
  expectTypeOf(staggered([async () => 1, (own) => fetchPage("a", own)], { delay: 1 })).resolves.toEqualTypeOf<number | Response>();
  expectTypeOf(race(urls.map((url) => (own: Task) => fetchPage(url, own)))).resolves.toEqualTypeOf<Response>();
  const functions: TaskFunction<number>[] = [];
  expectTypeOf(any(functions)).resolves.toEqualTypeOf<number>();
  // @ts-expect-error a promise runs already
  void race([text, () => 1]);
  // @ts-expect-error a promise runs already
  void any([text]);
  // @ts-expect-error a promise runs already
  void staggered([text]);
});

describe("map(), forEach() and mapStream()", () => {
  test("infer the item from any source, and the result from the function", () => {
    expectTypeOf(map(urls, (url, own) => fetchPage(url, own), { concurrency: 3 }, scope)).resolves.toEqualTypeOf<Response[]>();
    expectTypeOf(map(new Set([1, 2]), (n, _own, index) => n + index)).resolves.toEqualTypeOf<number[]>();
    expectTypeOf(map(new Map([["a", 1]]), ([key, n]) => ({ key, n }))).resolves.toEqualTypeOf<{ key: string; n: number }[]>();
    async function* pages(own: CancelScope): AsyncGenerator<Response> {
      yield fetchPage("1", own);
    }
    expectTypeOf(map(pages(scope), (page) => page.text())).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(map(pages, (page) => page.text())).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(map([], (item: number) => item)).resolves.toEqualTypeOf<number[]>();
    expectTypeOf(map([1, "a", undefined], (item) => item)).resolves.toEqualTypeOf<(number | string | undefined)[]>();
  });

  test("take functions whose second parameter is a scope, or options with a signal", () => {
    expectTypeOf(map(urls, fetchPage)).resolves.toEqualTypeOf<Response[]>();
    expectTypeOf(map(urls, fetch, { concurrency: 2 })).resolves.toEqualTypeOf<Response[]>();
    expectTypeOf(map([1, 2], sleep)).resolves.toEqualTypeOf<void[]>();
  });

  test("take anything as an item but promises", () => {
    // biome-ignore lint/suspicious/noExplicitAny: what comes without types is `any`
    const anything = [1] as any[];
    expectTypeOf(map(anything, (item) => item as number)).resolves.toEqualTypeOf<number[]>();
    expectTypeOf(map([1] as unknown[], (item) => item)).resolves.toEqualTypeOf<unknown[]>();
    expectTypeOf(forEach([() => text], (work) => work())).resolves.toEqualTypeOf<void>();
    // @ts-expect-error they run already
    void map([text], (item) => item);
    const running = urls.map((url) => fetchPage(url));
    // @ts-expect-error they run already
    void map(running, (page) => page);
    // @ts-expect-error one of them runs already
    void map([text, "a"], (item) => item);
    // @ts-expect-error they run already
    void forEach(new Set([text]), (item) => item);
    // @ts-expect-error they run already
    void mapStream([text], (item) => item, { concurrency: 1 });
  });

  test("pass the scope of the item", () => {
    void map(urls, (url, own, index) => {
      expectTypeOf([url, own, index] as const).toEqualTypeOf<readonly [string, CancelScope, number]>();
    });
  });

  test("mapStream() is what for await takes, and await using", async () => {
    const stream = mapStream(urls, async (url) => url.length, { concurrency: 2, window: 4, order: "completed" }, scope);
    expectTypeOf(stream[Symbol.asyncIterator]().next()).resolves.toEqualTypeOf<IteratorResult<number, undefined>>();
    for await (const length of stream) expectTypeOf(length).toEqualTypeOf<number>();
    expectTypeOf(stream).toExtend<AsyncDisposable>();
    // @ts-expect-error there is no bound
    mapStream(urls, (url) => url, {});
    // @ts-expect-error there is no bound
    mapStream(urls, (url) => url);
    // @ts-expect-error no such order
    mapStream(urls, (url) => url, { concurrency: 1, order: "random" });
  });

  test("have options of their own only", () => {
    // @ts-expect-error no such option
    void map(urls, (url) => url, { concurency: 1 });
    void map(urls, (url) => url, { concurrency: 1, signal: scope.signal });
    void map(urls, (url) => url, scope);
  });
});

test("retry() and hedge() have what the function resolves to", () => {
  expectTypeOf(retry((own, attempt) => fetchPage(`${attempt}`, own), { attempts: 3 })).resolves.toEqualTypeOf<Response>();
  expectTypeOf(retry(() => 1, scope)).resolves.toEqualTypeOf<number>();
  expectTypeOf(
    retry(() => 1, { delay: (attempt, error) => (error === 1 ? attempt : 0), random: () => 0.5 }),
  ).resolves.toEqualTypeOf<number>();
  expectTypeOf(hedge((own, attempt) => fetchPage(`${attempt}`, own), { delay: 1 })).resolves.toEqualTypeOf<Response>();
  // @ts-expect-error a promise runs already
  void retry(text);
  // @ts-expect-error after which time?
  void hedge(() => 1, {});
});

test("poll() has what says that there is something; every() never ends by itself", () => {
  expectTypeOf(poll(1, async () => (Math.abs(1) > 0 ? "found" : undefined))).resolves.toEqualTypeOf<"found">();
  expectTypeOf(poll(1, () => Math.abs(1) > 0)).resolves.toEqualTypeOf<true>();
  expectTypeOf(poll(1, () => null as number | null, { fixed: "rate" }, scope)).resolves.toEqualTypeOf<number>();
  expectTypeOf(every(1, (own, tick) => sleep(tick, own), { initialDelay: 5 })).resolves.toEqualTypeOf<never>();
  // @ts-expect-error no such choice
  void every(1, () => {}, { fixed: "both" });
});
