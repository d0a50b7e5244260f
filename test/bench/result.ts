import type { PeerName } from "./contenders/load.js";
import { type Goal, isBytes, type Row } from "./rows.js";
import { median, medianRatio } from "./statistics.js";

/** One line of the table, as `--json` prints it. Amounts are medians; a text says why there is none. */
export interface Result {
  readonly row: string;
  readonly size: number;
  /** `ns per child`: of CPU time. `bytes per child`: of the heap. */
  readonly unit: string;
  /** Bare promises. */
  readonly floor: Amount;
  /** By hand, with about what a nursery guarantees. null: the same as the floor, or nothing is written. */
  readonly careful: Amount | null;
  readonly creche: Amount;
  readonly crecheAmbient: Amount;
  readonly peers: Readonly<Partial<Record<PeerName, Amount>>>;
  /** creche / floor: the median of the ratios of the pairs. null: there is no floor at this size. */
  readonly ratio: number | null;
  readonly ambientRatio: number | null;
  /** creche / floor in a process where all of creche has run before. */
  readonly mixedRatio: number | null;
  /** Each peer / floor, and each peer / creche. */
  readonly peerRatios: Readonly<Partial<Record<PeerName, { readonly toFloor: number | null; readonly toCreche: number | null }>>>;
  /** The fastest peer, and creche / it. */
  readonly fastestPeer: { readonly name: PeerName; readonly ratio: number } | null;
  readonly isAheadOfAll: boolean | null;
  readonly goal: Goal | null;
  /** What the goal is about: a ratio, or bytes. */
  readonly reached: { readonly value: number | null; readonly isReached: boolean; readonly isAmbientReached: boolean | null } | null;
  /** Of whom there are fewer than nine pairs, because they are slow. */
  readonly fewPairs: readonly string[];
  readonly python?: Readonly<Partial<Record<"asyncio" | "trio", Amount>>>;
}

export type Amount = number | string;

/** Samples of some who took turns, or why there are none. */
export type Samples = Readonly<Record<string, readonly number[] | string>>;

/** What was measured for a row: creche among those written by hand, ambient, mixed, each peer; and creche in the size that its goal names. */
export interface Measurements {
  readonly own: Samples;
  readonly ambient: Samples;
  readonly mixed?: Samples;
  readonly growth?: Samples;
  readonly peers: readonly { readonly name: PeerName; readonly samples: Samples }[];
  readonly python?: Result["python"];
}

/** What are not bytes kept but the collector's own noise. */
const NOISE = 10;
const ENOUGH = 9;

export function resultOf(row: Row, measured: Measurements): Result {
  const weighed = isBytes(row.job);
  const { own, ambient } = measured;
  // Of nothing kept there are no multiples.
  const isKept = !weighed || row.goal?.most !== 0;
  const ratio = isKept ? pairs(own, "creche", "floor") : null;
  const ambientRatio = isKept ? pairs(ambient, "ambient", "floor") : null;
  const creche = amount(own["creche"]);
  const peers = Object.fromEntries(measured.peers.map(({ name, samples }) => [name, amount(samples[name])]));
  const peerRatios: Record<string, { toFloor: number | null; toCreche: number | null }> = {};
  for (const { name, samples } of measured.peers) {
    peerRatios[name] = { toFloor: pairs(samples, name, "floor"), toCreche: pairs(samples, name, "creche") };
  }
  const fastestPeer = weighed ? lightest(creche, peers) : fastest(peerRatios);
  const few = [own, ambient, ...measured.peers.map(({ name, samples }) => ({ [name]: samples[name] ?? [] }))].flatMap((samples) =>
    Object.entries(samples).flatMap(([name, values]) => (!weighed && typeof values !== "string" && values.length < ENOUGH ? [name] : [])),
  );
  const result = {
    row: row.row,
    size: row.size,
    unit: `${weighed ? "bytes" : "ns"} per ${row.of}`,
    floor: amount(own["floor"]),
    careful: own["careful"] === undefined ? null : amount(own["careful"]),
    creche,
    crecheAmbient: amount(ambient["ambient"]),
    peers,
    ratio,
    ambientRatio,
    mixedRatio: measured.mixed === undefined ? null : pairs(measured.mixed, "creche", "floor"),
    peerRatios,
    fastestPeer,
    isAheadOfAll:
      row.peers.length === 0
        ? null
        : typeof creche !== "number"
          ? false
          : isAhead(weighed, creche, fastestPeer?.name, peers, fastestPeer?.ratio),
    goal: row.goal ?? null,
    fewPairs: [...new Set(few)],
    ...(measured.python && { python: measured.python }),
  };
  return { ...result, reached: reached(row, result, measured) };
}

/** Nobody who could do it at all is level, either. Of bytes: nobody keeps less, apart from noise. */
function isAhead(
  weighed: boolean,
  creche: number,
  name: PeerName | undefined,
  peers: Readonly<Record<string, Amount>>,
  ratio: number | undefined,
): boolean {
  if (name === undefined || ratio === undefined) return true;
  return weighed ? creche <= (peers[name] as number) + NOISE : ratio < 1;
}

function fastest(ratios: Readonly<Record<string, { readonly toCreche: number | null }>>): Result["fastestPeer"] {
  const known = Object.entries(ratios).flatMap(([name, { toCreche }]) =>
    toCreche === null ? [] : [{ name: name as PeerName, ratio: 1 / toCreche }],
  );
  return known.sort((a, b) => b.ratio - a.ratio)[0] ?? null;
}

function lightest(creche: Amount, peers: Readonly<Record<string, Amount>>): Result["fastestPeer"] {
  const known = Object.entries(peers).flatMap(([name, value]) => (typeof value === "number" ? [{ name: name as PeerName, value }] : []));
  const least = known.sort((a, b) => a.value - b.value)[0];
  return least === undefined || typeof creche !== "number" ? null : { name: least.name, ratio: creche / least.value };
}

function reached(
  { goal }: Row,
  result: Pick<Result, "ratio" | "ambientRatio" | "fastestPeer" | "creche">,
  { growth }: Measurements,
): Result["reached"] {
  if (goal === undefined) return null;
  const value =
    goal.kind === "floor"
      ? result.ratio
      : goal.kind === "peers"
        ? (result.fastestPeer?.ratio ?? null)
        : goal.kind === "growth"
          ? pairs(growth ?? {}, "creche", "fewer")
          : typeof result.creche === "number"
            ? result.creche
            : null;
  // Nothing kept: less than the collector's noise.
  const most = goal.kind === "bytes" && goal.most === 0 ? NOISE : goal.most;
  const ambient = goal.kind === "floor" ? goal.ambient : undefined;
  return {
    value,
    isReached: value !== null && value <= most,
    isAmbientReached: ambient === undefined ? null : result.ambientRatio !== null && result.ambientRatio <= ambient,
  };
}

function amount(samples: readonly number[] | string | undefined): Amount {
  if (samples === undefined) return "not measured";
  return typeof samples === "string" ? samples : samples.length === 0 ? "not measured" : median(samples);
}

function pairs(samples: Samples, above: string, below: string): number | null {
  const [a, b] = [samples[above], samples[below]];
  if (a === undefined || b === undefined || typeof a === "string" || typeof b === "string" || a.length === 0) return null;
  return medianRatio(a, b);
}
