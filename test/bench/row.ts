/** One line of the table: a job done by creche, and the floor: what a careful programmer writes by hand for it, with bare promises. */
export interface Row {
  readonly name: string;
  /** The ratio that creche is to reach. */
  readonly goal: number;
  /** To what. Default: to the floor. */
  readonly against?: "floor" | "fastest peer";
  readonly floor: () => Promise<unknown>;
  /** The floor with what a nursery guarantees added by hand: the first failure cancels the others, and all are awaited. */
  readonly careful?: () => Promise<unknown>;
  readonly creche: () => Promise<unknown>;
  /** The same job by libraries that can do it. */
  readonly peers?: Readonly<Record<string, () => Promise<unknown>>>;
  /** How often the job is done for one measurement, so that a measurement takes milliseconds. */
  readonly times: number;
}
