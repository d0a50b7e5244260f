/** Where the values are; slow. */
export interface Store {
  read(key: string): Promise<number>;
  write(key: string, value: number): Promise<void>;
}

/** Keeps what has been read. */
export interface Cache {
  get(key: string): Promise<number>;
  set(key: string, value: number): Promise<void>;
}

export class StaleCache implements Cache {
  readonly #store: Store;
  readonly #known = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<number> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = await this.#store.read(key);
    this.#known.set(key, value); // Wrong: it may have been written to meanwhile, and then this is old, and stays.
    return value;
  }

  async set(key: string, value: number): Promise<void> {
    await this.#store.write(key, value);
    this.#known.delete(key);
  }
}

export class FreshCache implements Cache {
  readonly #store: Store;
  readonly #known = new Map<string, number>();
  /** How often each key was written to. */
  readonly #versions = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<number> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const version = this.#versions.get(key);
    const value = await this.#store.read(key);
    if (this.#versions.get(key) === version) this.#known.set(key, value);
    return value;
  }

  async set(key: string, value: number): Promise<void> {
    try {
      await this.#store.write(key, value);
    } finally {
      // Also if it was cut off: then nobody knows what is in the store.
      this.#versions.set(key, (this.#versions.get(key) ?? 0) + 1);
      this.#known.delete(key);
    }
  }
}
