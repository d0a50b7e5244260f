/** The last lines of what happened, oldest first. It keeps a fixed number, so that it is no leak itself. */
export class Trace {
  readonly #lines: string[];
  #count = 0;

  constructor(size = 200) {
    this.#lines = new Array<string>(size).fill("");
  }

  add(line: string): void {
    this.#lines[this.#count++ % this.#lines.length] = `${performance.now().toFixed(1).padStart(10)}  ${line}`;
  }

  last(): string[] {
    const { length } = this.#lines;
    const from = Math.max(0, this.#count - length);
    return Array.from({ length: this.#count - from }, (_, i) => this.#lines[(from + i) % length] as string);
  }
}
