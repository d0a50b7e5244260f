import type { Ledger } from "./ledger.js";

/** What is sent through one channel: each parcel is received once, or is accounted for as lost with the buffer of a closed end. */
export class Parcels {
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #sent = new Set<number>();
  readonly #received = new Set<number>();
  #next = 0;

  constructor(name: string, ledger: Ledger) {
    this.#name = name;
    this.#ledger = ledger;
  }

  /** Sends the next one. A `send` that throws has sent nothing. */
  async send(sendOne: (parcel: number) => Promise<unknown>): Promise<void> {
    const parcel = this.#next++;
    await sendOne(parcel);
    this.#sent.add(parcel);
  }

  received(parcel: number): void {
    this.#ledger.check(!this.#received.has(parcel), () => `parcel ${parcel} of ${this.#name} was received twice`);
    this.#received.add(parcel);
  }

  /** All who send and receive have ended; `left` parcels were in the buffer when it was closed. */
  account(left: number): void {
    for (const parcel of this.#received)
      this.#ledger.check(this.#sent.has(parcel), () => `parcel ${parcel} of ${this.#name} was received, and its send threw`);
    const lost = this.#sent.size - this.#received.size;
    this.#ledger.check(lost === left, () => `${lost} parcels of ${this.#name} were lost, and ${left} were in its buffer at the end`);
  }
}
