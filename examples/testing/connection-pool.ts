import { Semaphore } from "creche";

/** A connection of a database, say. */
export interface Connection {
  readonly id: number;
  query(sql: string): Promise<string>;
}

/** Hands out connections, so many at a time. */
export abstract class Pool {
  /** Its permits are the idle connections. */
  protected readonly permits: Semaphore;
  protected readonly idle: Connection[];

  constructor(connections: readonly Connection[]) {
    this.idle = [...connections];
    this.permits = new Semaphore(connections.length);
  }

  /** How many connections are there for the next who asks. */
  get free(): number {
    return this.idle.length;
  }

  abstract withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
}

export class LeakyPool extends Pool {
  async withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.permits.acquire();
    const connection = this.idle.pop() as Connection;
    const result = await work(connection); // Wrong: if this throws, a cancellation for example, the connection is gone.
    this.idle.push(connection);
    this.permits.release();
    return result;
  }
}

export class SafePool extends Pool {
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.permits.run(async () => {
      const connection = this.idle.pop() as Connection;
      try {
        return await work(connection);
      } finally {
        this.idle.push(connection);
      }
    });
  }
}
