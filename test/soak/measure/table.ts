/** Rows of cells as aligned columns: the first to the left, the others to the right, but for a last one of words. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 || i === head.length - 1 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)));
  return all.map((row) => line(row).join("  ").trimEnd()).join("\n");
}
