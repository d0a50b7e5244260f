import type { Ledger } from "../checks/ledger.js";
import type { Loopback } from "./loopback.js";
import { Pools } from "./pools.js";

/** What is there once, for all connections. */
export class Application {
  readonly ledger: Ledger;
  readonly loopback: Loopback;
  readonly pools: Pools;
  /** Not one of ours: that of whoever runs the server, which lives as long as that, and from which many scopes derive. */
  readonly shutdown: AbortSignal;
  /** Counts an object until it is collected. */
  readonly follow: (object: object) => void;
  /** Called with each request, to plant a leak. */
  readonly onRequest: (request: object) => void;

  constructor(parts: Omit<Application, "pools">) {
    this.ledger = parts.ledger;
    this.loopback = parts.loopback;
    this.shutdown = parts.shutdown;
    this.follow = parts.follow;
    this.onRequest = parts.onRequest;
    this.pools = new Pools(parts.ledger);
  }
}
