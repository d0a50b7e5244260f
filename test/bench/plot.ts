import { amountText, sizeText } from "./format.js";

export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  /** With growing sizes; costs in ns. */
  readonly points: readonly { readonly size: number; readonly cost: number }[];
  /** Why there are no more points. */
  readonly end?: string;
}

const WIDTH = 340;
const HEIGHT = 260;
const LEFT = 56;
const TOP = 64;
const GAP = 24;
/** Readable on white and on near black; creche is thick, so that colour is not all that tells. */
const COLOURS = ["#8b949e", "#6e7781", "#2f81f7", "#54aeff", "#e5534b", "#d4a72c", "#3fb950", "#bc8cff"];
const DASHES = ["", "4 3", "", "4 3", "", "", "", ""];

/** Charts side by side, both axes logarithmic. */
export function svgOf(charts: readonly Chart[], title: string): string {
  const costs = charts.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ cost }) => cost)));
  const sizes = charts.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ size }) => size)));
  const x = scale(sizes, WIDTH - LEFT - 14, 0);
  const y = scale(costs, 0, HEIGHT);
  const names = charts[0]?.series.map(({ name }) => name) ?? [];
  const width = charts.length * (WIDTH + GAP);
  const height = TOP + HEIGHT + 84;
  const panels = charts.map(({ title: heading, series }, i) => {
    const lines = [
      `<text x="${LEFT}" y="-10" class="heading">${escaped(heading)}</text>`,
      ...y.ticks.map(
        (cost) =>
          `<path class="grid" d="M${LEFT} ${y.at(cost)}H${WIDTH - 14}"/><text x="${LEFT - 6}" y="${y.at(cost) + 4}" text-anchor="end">${amountText(cost, "ns").replace(".00", "").replace(/\.0 /, " ")}</text>`,
      ),
      ...x.ticks.map(
        (size) =>
          `<text x="${LEFT + x.at(size)}" y="${HEIGHT + 18}" text-anchor="middle">${size >= 1e6 ? `${size / 1e6}M` : size >= 1e3 ? `${size / 1e3}k` : sizeText(size)}</text>`,
      ),
      ...series.flatMap((each) => seriesLines(each, names.indexOf(each.name), (size) => LEFT + x.at(size), y.at)),
      `<text x="${LEFT + (WIDTH - LEFT) / 2}" y="${HEIGHT + 36}" text-anchor="middle">tasks</text>`,
    ];
    return `<g transform="translate(${i * (WIDTH + GAP)} ${TOP})">\n${lines.join("\n")}\n</g>`;
  });
  let end = LEFT;
  const legend = names.map((name, i) => {
    const at = end;
    end += 48 + 7 * name.length;
    return `<path d="M${at} ${height - 20}h22" ${stroke(i, name)}/><text x="${at + 27}" y="${height - 16}">${escaped(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #768390 }
.heading { font-weight: 600; font-size: 13px }
.grid { stroke: #8b949e; stroke-opacity: .25 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }
</style>
<text x="${LEFT}" y="22" class="heading">${escaped(title)}</text>
${panels.join("\n")}
${legend.join("\n")}
</svg>
`;
}

function seriesLines({ name, points, end }: Series, index: number, x: (size: number) => number, y: (cost: number) => number): string[] {
  const last = points.at(-1);
  if (last === undefined) return [];
  const d = points.map(({ size, cost }, i) => `${i === 0 ? "M" : "L"}${x(size).toFixed(1)} ${y(cost).toFixed(1)}`).join("");
  const line = `<path d="${d}" ${stroke(index, name)}/>`;
  // A cross where it goes no further.
  const [cx, cy] = [x(last.size), y(last.cost)];
  const cross = `<path d="M${(cx - 4).toFixed(1)} ${(cy - 4).toFixed(1)}l8 8m0 -8l-8 8" ${stroke(index, name)}><title>${escaped(`${name}: ${end}`)}</title></path>`;
  return end === undefined ? [line] : [line, cross];
}

function stroke(index: number, name: string): string {
  const dash = DASHES[index % DASHES.length];
  return `fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="${name === "creche" ? 3 : 1.5}"${dash ? ` stroke-dasharray="${dash}"` : ""}`;
}

/** Powers of ten that hold all values, spread over `from` (the greatest) to `to` (the least). */
function scale(values: readonly number[], greatest: number, least: number) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { ticks, at: (value: number) => least + ((Math.log10(value) - low) / (high - low)) * (greatest - least) };
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
