const SMALLEST = 8;
/** How many places are kept by one that has run empty: what a burst needed beyond that is given back. */
const KEPT = 1024;

/** A queue of items in one array that is used in a circle: adding, taking and dropping are O(1), and it grows as it fills. */
export class RingBuffer<T> {
  /** Its length is a power of two, so that places wrap around by a mask. */
  #places: (T | undefined)[] = new Array(SMALLEST);
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#places.length) this.#grow();
    this.#places[(this.#first + this.#size) & (this.#places.length - 1)] = item;
    this.#size++;
  }

  /** Takes the oldest item. The caller knows that there is one. */
  shift(): T {
    const item = this.#places[this.#first] as T;
    // What has been taken is not kept alive.
    this.#places[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#places.length - 1);
    this.#size--;
    if (this.#size === 0 && this.#places.length > KEPT) this.clear();
    return item;
  }

  clear(): void {
    this.#places = new Array(SMALLEST);
    this.#first = 0;
    this.#size = 0;
  }

  #grow(): void {
    const places = this.#places;
    this.#places = places.slice(this.#first).concat(places.slice(0, this.#first));
    this.#places.length = places.length * 2;
    this.#first = 0;
  }
}
