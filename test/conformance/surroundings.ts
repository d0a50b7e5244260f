import type { CancelScope, MemoryReceiveChannel, MemorySendChannel, Nursery } from "../../src/index.js";

export interface ChannelPair {
  readonly send: MemorySendChannel<string>;
  readonly receive: MemoryReceiveChannel<string>;
}

/** What the statements of one task find around them: names are lexical, so a task is spawned with what is visible there. */
export interface Surroundings {
  readonly task: string;
  /** The innermost scope, where scopes are passed; undefined where the ambient one is used. */
  readonly here: CancelScope | undefined;
  readonly scopes: Readonly<Record<string, CancelScope>>;
  readonly nurseries: Readonly<Record<string, Nursery>>;
  readonly channels: Readonly<Record<string, ChannelPair>>;
  readonly started?: (value: string) => void;
}

export function withScope(around: Surroundings, id: string, scope: CancelScope): Surroundings {
  return { ...inside(around, scope), scopes: { ...around.scopes, [id]: scope } };
}

/** The same in `scope`. */
export function inside(around: Surroundings, scope: CancelScope): Surroundings {
  return around.here === undefined ? around : { ...around, here: scope };
}

export function withNursery(around: Surroundings, id: string, nursery: Nursery): Surroundings {
  return { ...withScope(around, id, nursery), nurseries: { ...around.nurseries, [id]: nursery } };
}

export function withChannel(around: Surroundings, id: string, channel: ChannelPair): Surroundings {
  return { ...around, channels: { ...around.channels, [id]: channel } };
}

/** What a program calls `id`; the format promises that it is there. */
export function named<T>(things: Readonly<Record<string, T>>, id: string): T {
  const thing = things[id];
  if (thing === undefined) throw new Error(`the program has nothing that is called ${id} here`);
  return thing;
}
