import { expectTypeOf, test } from "vitest";
import { type Cancellable, type CancelScope, ContextVariable, type ContextVariableOptions } from "../../src/index.js";

test("the type of a variable is that of its default value, or has undefined", () => {
  expectTypeOf(new ContextVariable({ defaultValue: 1 }).get()).toEqualTypeOf<number>();
  expectTypeOf(new ContextVariable<"a" | "b">({ defaultValue: "a", name: "x" }).get()).toEqualTypeOf<"a" | "b">();
  expectTypeOf(new ContextVariable<string>().get()).toEqualTypeOf<string | undefined>();
  expectTypeOf(new ContextVariable<string>({ name: "x" })).toEqualTypeOf<ContextVariable<string | undefined>>();
  expectTypeOf(new ContextVariable()).toEqualTypeOf<ContextVariable<unknown>>();
});

test("run() is typed by its body", () => {
  const variable = new ContextVariable<string>();
  expectTypeOf(variable.run("x", () => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(variable.run("x", async () => "y")).toEqualTypeOf<Promise<string>>();
  variable.run("x", (scope) => expectTypeOf(scope).toEqualTypeOf<CancelScope>());
  // @ts-expect-error: no string
  variable.run(1, () => {});
  // @ts-expect-error: a promise runs already
  variable.run("x", Promise.resolve());
  expectTypeOf(variable.get).parameter(0).toEqualTypeOf<Cancellable | undefined>();
  expectTypeOf(variable.name).toEqualTypeOf<string>();
  expectTypeOf<ContextVariableOptions>().toEqualTypeOf<{ readonly name?: string | undefined }>();
  // @ts-expect-error: it is set by run()
  variable.name = "y";
});
