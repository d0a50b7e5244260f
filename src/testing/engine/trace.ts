import type { Names } from "./names.js";
import type { Ready } from "./ready.js";
import type { Step } from "./step.js";

/** What is worth telling of a step besides what it was. */
export interface Notes {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
  readonly remarks: string[];
}

const NOTHING: readonly string[] = [];

/** What happened in a run, step by step. Kept as it comes, and told only when somebody asks: most runs are never looked at. */
export class Trace {
  readonly #names: Names;
  readonly entries: Ready[] = [];
  readonly times: number[] = [];
  readonly ways: number[] = [];
  readonly choices: number[] = [];
  /** The numbers of the choice points at which steps were chosen; -1 for those that were not. */
  readonly pointOf: number[] = [];
  /** By number of step, where there is anything; -1: before the first, when the body begins. */
  readonly notes = new Map<number, Notes>();
  /** In how many ways each choice point could have been left, those of the program itself among them. */
  readonly points: number[] = [];
  /** How many steps had been taken when something was found wrong: those that follow are those of a cancelled run. */
  foundAt: number | undefined = undefined;
  /** Where the base order was departed from. In order of the points. */
  readonly picks: [point: number, pick: number][] = [];
  #hash = 0x811c9dc5;

  constructor(names: Names) {
    this.#names = names;
  }

  get length(): number {
    return this.entries.length;
  }

  /** Of all that happened: what went on in which order, and what was chosen. */
  get checksum(): number {
    return this.#hash >>> 0;
  }

  stepped(ready: Ready, time: number, ways: number, choice: number): void {
    this.pointOf.push(ways > 1 ? this.points.length : -1);
    this.entries.push(ready);
    this.times.push(time);
    this.ways.push(ways);
    this.choices.push(choice);
    if (ways > 1) this.#left(ways, choice);
    this.#mix(ready.task.id + 1);
    this.#mix(this.#names.idOf(ready.op));
    this.#mix(Math.round(time * 1000) | 0);
    if (ready.on !== undefined) this.#mix(this.#names.idOf(ready.on));
  }

  /** The program chose. */
  chose(ways: number, pick: number): void {
    this.#left(ways, pick);
    this.#mix(pick + 1);
  }

  /** A choice point was left. Which step it was says the rest, so that one run has one checksum, however it came about. */
  #left(ways: number, pick: number): void {
    if (pick !== 0) this.picks.push([this.points.length, pick]);
    this.points.push(ways);
  }

  /** The notes of the step that is being taken. */
  get currentNotes(): Notes {
    const at = this.entries.length - 1;
    let notes = this.notes.get(at);
    if (notes === undefined) {
      notes = { reads: new Set(), writes: new Set(), remarks: [] };
      this.notes.set(at, notes);
    }
    return notes;
  }

  stepAt(index: number): Step {
    const entry = this.entries[index] as Ready;
    const notes = this.#notesOf(index);
    return {
      index,
      time: this.times[index] as number,
      task: entry.task.name,
      op: entry.op,
      object: this.#names.objectOf(entry.on),
      enabled: this.ways[index] as number,
      choice: this.choices[index] as number,
      reads: notes === undefined ? NOTHING : [...notes.reads],
      writes: notes === undefined ? NOTHING : [...notes.writes],
      remarks: notes?.remarks ?? NOTHING,
      site: entry.site,
    };
  }

  /** What the body did before the first step is told with that. */
  #notesOf(index: number): Notes | undefined {
    const notes = this.notes.get(index);
    const before = index === 0 ? this.notes.get(-1) : undefined;
    if (before === undefined || notes === undefined) return notes ?? before;
    return {
      reads: new Set([...before.reads, ...notes.reads]),
      writes: new Set([...before.writes, ...notes.writes]),
      remarks: [...before.remarks, ...notes.remarks],
    };
  }

  get steps(): Step[] {
    return this.entries.map((_, i) => this.stepAt(i));
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
  }
}
