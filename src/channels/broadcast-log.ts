const SMALLEST = 8;

/**
 * The items that some reader has still to read: kept once for all readers, each of whom knows how far it is. It counts how many readers are at each place,
 * so that it can tell without asking them what is of no use any more. Every operation is O(1), however many readers there are.
 */
export class BroadcastLog<T> {
  /** Places wrap around by a mask. There is always one place more than there are items: for the readers who have read all. */
  #items: (T | undefined)[] = new Array(SMALLEST);
  #readers = new Int32Array(SMALLEST);
  /** The place of the oldest item. Never goes back. */
  #start = 0;
  /** The place of the next item. */
  #end = 0;

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** How many items are in it. */
  get size(): number {
    return this.#end - this.#start;
  }

  at(place: number): T {
    return this.#items[place & this.#mask] as T;
  }

  /** A reader comes, who will read what is put in from now on. Returns its place. */
  enter(): number {
    this.#count(this.#end, 1);
    return this.#end;
  }

  /** A reader goes away from its place. `trim` is due then. */
  exit(place: number): void {
    this.#count(place, -1);
  }

  /** A reader goes on to the next place. `trim` is due then. */
  pass(place: number): void {
    this.#count(place, -1);
    this.#count(place + 1, 1);
  }

  /** Puts an item in. `trim` is due then: there may be no reader. */
  put(item: T): void {
    if (this.size + 1 === this.#items.length) this.#grow();
    this.#items[this.#end & this.#mask] = item;
    this.#end++;
    this.#readers[this.#end & this.#mask] = 0;
  }

  /** Drops the items that everybody has read. */
  trim(): void {
    while (this.#start < this.#end && this.#readersAt(this.#start) === 0) this.#drop();
  }

  /** Drops the oldest item. Those who had it to read go on to the next place. */
  skip(): void {
    this.#count(this.#start + 1, this.#readersAt(this.#start));
    this.#drop();
  }

  /** Drops the oldest item, and those who had it to read. Returns how many they were. `trim` is due then. */
  shed(): number {
    const shed = this.#readersAt(this.#start);
    this.#drop();
    return shed;
  }

  get #mask(): number {
    return this.#items.length - 1;
  }

  #readersAt(place: number): number {
    return this.#readers[place & this.#mask] as number;
  }

  #count(place: number, by: number): void {
    this.#readers[place & this.#mask] = this.#readersAt(place) + by;
  }

  #drop(): void {
    // What nobody will read is not kept alive.
    this.#items[this.#start & this.#mask] = undefined;
    this.#start++;
  }

  #grow(): void {
    const items = new Array<T | undefined>(this.#items.length * 2);
    const readers = new Int32Array(items.length);
    for (let place = this.#start; place <= this.#end; place++) {
      items[place & (items.length - 1)] = this.#items[place & this.#mask];
      readers[place & (items.length - 1)] = this.#readersAt(place);
    }
    this.#items = items;
    this.#readers = readers;
  }
}
