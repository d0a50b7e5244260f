/** Reads a stream to its end. */
export async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const reader = stream.getReader();
  const all: T[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) all.push(next.value);
  return all;
}
