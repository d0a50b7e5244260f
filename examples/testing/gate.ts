import { checkpoint, Event } from "creche";

/** Opens once, for all who wait. */
export interface Gate {
  open(): Promise<void>;
  pass(): Promise<void>;
}

export class ForgetfulGate implements Gate {
  #isOpen = false;
  #bell = new Event();

  async open(): Promise<void> {
    this.#isOpen = true;
    this.#bell.set();
  }

  async pass(): Promise<void> {
    if (this.#isOpen) return;
    await checkpoint(); // Wrong: it may open here, and ring the bell before anybody listens to the next one.
    this.#bell = new Event();
    await this.#bell.wait();
  }
}

export class GoodGate implements Gate {
  readonly #opened = new Event();

  async open(): Promise<void> {
    this.#opened.set();
  }

  pass(): Promise<void> {
    return this.#opened.wait();
  }
}
