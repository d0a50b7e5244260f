/** A text for a value: two values have the same only if they are the same, by structure; instances of classes, functions and symbols by identity. */
export class StateKeys {
  readonly #identities = new Map<unknown, number>();

  of(value: unknown): string {
    const parts: string[] = [];
    // Texts go out as they are, so that what closes a structure comes after what is in it, without recursion.
    const pending: (Text | Value)[] = [{ value }];
    const seen = new Map<object, number>();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if ("text" in next) parts.push(next.text);
      else if (typeof next.value !== "object" || next.value === null) parts.push(this.#primitive(next.value));
      else {
        const again = seen.get(next.value);
        if (again !== undefined) parts.push(`^${again},`);
        else {
          const inside = this.#structure(next.value);
          if (inside === undefined) parts.push(this.#identity(next.value));
          else {
            seen.set(next.value, seen.size);
            for (let i = inside.length - 1; i >= 0; i--) pending.push(inside[i] as Text | Value);
          }
        }
      }
    }
    return parts.join("");
  }

  #primitive(value: unknown): string {
    if (typeof value === "string") return `${JSON.stringify(value)},`;
    if (typeof value === "bigint") return `${value}n,`;
    if (typeof value === "function" || typeof value === "symbol") return this.#identity(value);
    return Object.is(value, -0) ? "-0," : `${String(value)},`;
  }

  #structure(value: object): (Text | Value)[] | undefined {
    if (Array.isArray(value)) return [{ text: "[" }, ...value.map((each: unknown) => ({ value: each })), { text: "]" }];
    if (value instanceof Map)
      return [{ text: "M{" }, ...[...value].flatMap(([key, each]) => [{ value: key }, { value: each }]), { text: "}" }];
    if (value instanceof Set) return [{ text: "S{" }, ...[...value].map((each: unknown) => ({ value: each })), { text: "}" }];
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      { text: "{" },
      ...fields.flatMap(([key, each]) => [{ text: `${JSON.stringify(key)}:` }, { value: each as unknown }]),
      { text: "}" },
    ];
  }

  #identity(value: unknown): string {
    let id = this.#identities.get(value);
    if (id === undefined) {
      id = this.#identities.size;
      this.#identities.set(value, id);
    }
    return `@${id},`;
  }
}

interface Text {
  readonly text: string;
}

interface Value {
  readonly value: unknown;
}
