/** What keeps the process busy outside of JavaScript, by type: open files, sockets, timers. `undefined` where the platform does not tell. */
export function activeResources(): readonly string[] | undefined {
  const { process } = globalThis as { process?: { getActiveResourcesInfo?: () => string[] } };
  return process?.getActiveResourcesInfo?.();
}

/** Those of `now` that were not there `before`. */
export function newResources(before: readonly string[], now: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const type of before) left.set(type, (left.get(type) ?? 0) + 1);
  return now.filter((type) => {
    const count = left.get(type) ?? 0;
    left.set(type, count - 1);
    return count <= 0;
  });
}
