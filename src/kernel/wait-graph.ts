import type { Waiting } from "./errors.js";
import { BYSTANDER, LEAVING, TASK, TEMPORARY } from "./flags.js";
import { childrenOf, waitersOf } from "./floating.js";
import type { ScopeNode } from "./scope-node.js";
import { siteOf } from "./site.js";

/** An object of the library that knows which tasks keep others waiting for it. */
export interface Held {
  readonly _holders: readonly ScopeNode[];
}

/** Where a task was started, in development mode. */
function startOf(task: ScopeNode | undefined): { readonly startedAt?: string } {
  const site = siteOf(task?._rare?.site);
  return site === undefined ? {} : { startedAt: site };
}

export interface WaitGraph {
  readonly waiting: readonly Waiting[];
  /** Tasks that have not ended and wait for nothing that the library could bring about: they run, or await something foreign. */
  readonly elsewhere: readonly string[];
  /** How many foreign operations were given up, and go on. */
  readonly abandoned: number;
}

/** Who waits on what, in the tree around `scope`, in the order of the tree. */
export function waitGraph(scope: ScopeNode): WaitGraph {
  let root = scope;
  while (root._parent !== undefined) root = root._parent;
  const waiting: Waiting[] = [];
  const blocked = new Set<ScopeNode>();
  const open = new Set<ScopeNode>();
  const tasks: ScopeNode[] = [];
  const pending = [root];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if ((at._flags & BYSTANDER) !== 0) continue;
    if ((at._flags & TASK) !== 0) tasks.push(at);
    const own = entriesOf(at);
    const task = at._task;
    if (own.length > 0 && task !== undefined) blocked.add(task);
    if (task !== undefined && waitersOf(at).some(({ isForeign }) => isForeign)) open.add(task);
    waiting.push(...own);
    pending.push(...childrenOf(at).reverse());
  }
  const elsewhere = tasks.filter((task) => !blocked.has(task) || open.has(task)).map((task) => nameOf(task));
  return { waiting, elsewhere, abandoned: root._rare?.abandoned ?? 0 };
}

function entriesOf(scope: ScopeNode): Waiting[] {
  if ((scope._flags & TEMPORARY) !== 0 && scope._parent === undefined && scope._firstWaiter === undefined) return [];
  const task = nameOf(scope._task ?? scope);
  const entries: Waiting[] = [];
  if ((scope._flags & LEAVING) !== 0 && scope._rare?.leaver?.isParked) {
    entries.push({ task, op: "leave", on: `${scope._path}, in which ${whatGoesOn(scope)}`, ...startOf(scope._task) });
  }
  for (const waiter of waitersOf(scope)) {
    const heldBy = holdersOf(waiter.on);
    entries.push({ task, op: waiter.op, on: labelOf(waiter.on), ...(heldBy === "" ? {} : { heldBy }), ...startOf(scope._task) });
  }
  return entries;
}

function whatGoesOn(scope: ScopeNode): string {
  const names = childrenOf(scope)
    .filter((child) => (child._flags & BYSTANDER) === 0)
    .map((child) => child.name);
  const last = names.pop() ?? "a start";
  return names.length === 0 ? `${last} goes on` : `${names.join(", ")} and ${last} go on`;
}

function nameOf(task: ScopeNode): string {
  return task._isPathed ? task._path : task.name;
}

function holdersOf(on: object | undefined): string {
  return on !== undefined && "_holders" in on ? (on as Held)._holders.map(nameOf).join(", ") : "";
}

function labelOf(on: object | undefined): string {
  if (on === undefined) return "";
  const name = "name" in on && typeof on.name === "string" ? ` ${on.name}` : "";
  return `${on.constructor.name}${name}`;
}
