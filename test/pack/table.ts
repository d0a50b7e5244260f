/** Lines of cells, the first column to the left, numbers to the right. Shorter lines end early. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const padded = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column)))).join("  ");
  return rows.map((row) => padded(row).trimEnd()).join("\n");
}

/** Bytes as `13,023`. */
export function bytes(count: number): string {
  return count.toLocaleString("en");
}
