import type { Contender } from "./contender.js";

const loaders = {
  floor: async () => (await import("./floor.js")).floor,
  careful: async () => (await import("./careful.js")).careful,
  creche: async () => (await import("./creche.js")).creche(false),
  ambient: async () => (await import("./creche.js")).creche(true),
  effect: async () => (await import("./effect.js")).effect(),
  effection: async () => (await import("./effection.js")).effection(),
  "abort-controller-x": async () => (await import("./abort-controller-x.js")).abortControllerX(),
  "redux-saga": async () => (await import("./redux-saga.js")).reduxSaga(),
  rxjs: async () => (await import("./rxjs.js")).rxjs(),
  "p-map": async () => (await import("./promise-limits.js")).pMap(),
  "p-limit": async () => (await import("./promise-limits.js")).pLimit(),
  "p-queue": async () => (await import("./promise-limits.js")).pQueue(),
  async: async () => (await import("./promise-limits.js")).asyncLibrary(),
  "async-mutex": async () => (await import("./promise-limits.js")).asyncMutex(),
} satisfies Record<string, () => Promise<Contender>>;

export type ContenderName = keyof typeof loaders;
export type PeerName = Exclude<ContenderName, "floor" | "careful" | "creche" | "ambient">;

/** Loaded where they are measured, so that a process has no code of those that it does not measure. */
export function load(name: ContenderName): Promise<Contender> {
  return loaders[name]();
}
