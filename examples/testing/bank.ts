import { Lock, sleep } from "creche";

export class Account {
  readonly lock = new Lock();
  readonly number: number;
  balance: number;

  constructor(number: number, balance: number) {
    this.number = number;
    this.balance = balance;
  }
}

/** Moves money, with both accounts locked meanwhile. */
export type Transfer = (from: Account, to: Account, amount: number) => Promise<void>;

// Wrong: whoever transfers in the other direction takes the locks in the other order, and each waits for the other.
export const transferAsGiven: Transfer = (from, to, amount) => withBoth(from, to, () => move(from, to, amount));

export const transferInOrder: Transfer = (from, to, amount) => {
  const [first, second] = from.number < to.number ? [from, to] : [to, from];
  return withBoth(first, second, () => move(from, to, amount));
};

function withBoth(first: Account, second: Account, work: () => Promise<void>): Promise<void> {
  return first.lock.run(() => second.lock.run(work));
}

async function move(from: Account, to: Account, amount: number): Promise<void> {
  await sleep(1); // tells the auditors
  from.balance -= amount;
  to.balance += amount;
}
