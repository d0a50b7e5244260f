import type { Sim } from "creche/testing";

/** What is tested, and with which tool. */
export interface Case {
  readonly name: string;
  /** What is wrong, in one sentence. */
  readonly bug: string;
  /** `orders`: every order in which tasks may take turns (`explore`); `cancellations`: one at each checkpoint (`injectCancellation`). */
  readonly tool: "orders" | "cancellations";
  readonly buggy: Program;
  readonly fixed: Program;
}

/** A test of one version. `check` throws if something is lost; it is asked after each run. */
export interface Program {
  body(sim: Sim): Promise<void>;
  check?(): void;
}
