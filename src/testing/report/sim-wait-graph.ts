import { BYSTANDER, LEAVING } from "../../kernel/flags.js";
import { childrenOf, waitersOf } from "../../kernel/floating.js";
import type { ScopeNode } from "../../kernel/scope-node.js";
import { Task } from "../../kernel/task.js";
import type { Held } from "../../kernel/wait-graph.js";
import type { Names } from "../engine/names.js";
import type { SimTask } from "../engine/ready.js";

/** One operation that waits. */
export interface Blocked {
  readonly task: string;
  readonly op: string;
  /** What it waits for; `""` if for nothing that has a name. */
  readonly on: string;
  /** Who holds that, if it is known. */
  readonly heldBy: string | undefined;
}

/** Who waits on what, at one instant. `toString()` is how reports show it. */
export interface WaitGraph {
  readonly blocked: readonly Blocked[];
  /** Tasks that wait for nothing of this library: for a promise of somebody else. With the operation that each of them did last. */
  readonly elsewhere: readonly { readonly task: string; readonly after: string }[];
  /** Tasks each of which waits for the next, and the last for the first. */
  readonly cycles: readonly (readonly string[])[];
  toString(): string;
}

/** The wait graph of a simulated run, as it is when it is made. */
export class SimWaitGraph implements WaitGraph {
  readonly blocked: readonly Blocked[];
  readonly elsewhere: readonly { readonly task: string; readonly after: string }[];
  readonly cycles: readonly (readonly string[])[];

  constructor(top: ScopeNode, names: Names, loose: readonly SimTask[]) {
    const blocked: Blocked[] = [];
    const edges = new Map<ScopeNode, Set<ScopeNode>>();
    const scopes = [top];
    for (let scope = scopes.pop(); scope !== undefined; scope = scopes.pop()) {
      blocked.push(...waitsIn(scope, names, edges));
      scopes.push(...childrenOf(scope).reverse());
    }
    this.blocked = blocked;
    this.elsewhere = loose.map(({ name, lastOp }) => ({ task: name, after: lastOp }));
    this.cycles = cyclesOf(edges).map((cycle) => cycle.map((node) => names.taskOf(node).name));
  }

  toString(): string {
    const lines = this.blocked.map(({ task, op, on, heldBy }) => {
      const holder = heldBy === undefined ? "" : `, held by ${heldBy}`;
      return `${task} waits: ${op}${on && ` ${on}`}${holder}`;
    });
    for (const { task, after } of this.elsewhere) lines.push(`${task} waits for something that is not of this library, after: ${after}`);
    for (const cycle of this.cycles) lines.push(`cycle: ${[...cycle, cycle[0]].join(" -> ")}`);
    return lines.join("\n");
  }
}

function waitsIn(scope: ScopeNode, names: Names, edges: Map<ScopeNode, Set<ScopeNode>>): Blocked[] {
  const owner = scope._task;
  if (owner === undefined || (owner._flags & BYSTANDER) !== 0) return [];
  const task = names.taskOf(owner).name;
  const waits = (holders: readonly ScopeNode[]): string | undefined => {
    const targets = edges.get(owner) ?? new Set();
    edges.set(owner, targets);
    const tasks = holders.map((holder) => holder._task).filter((holder) => holder !== undefined);
    for (const holder of tasks) targets.add(holder);
    return tasks.length === 0 ? undefined : tasks.map((holder) => names.taskOf(holder).name).join(", ");
  };
  const blocked: Blocked[] = [];
  if ((scope._flags & LEAVING) !== 0 && scope._rare?.leaver?.isParked === true) {
    const children = childrenOf(scope);
    const inside = waits(children.filter((child) => child._task !== owner && (child._flags & BYSTANDER) === 0));
    blocked.push({
      task,
      op: "leave",
      on: scope.name + (inside === undefined ? "" : `, in which ${inside} ${inside.includes(", ") ? "go" : "goes"} on`),
      heldBy: undefined,
    });
  }
  for (const { op, on } of waitersOf(scope)) {
    if (on instanceof Task) {
      waits([on]);
      blocked.push({ task, op, on: names.taskOf(on).name, heldBy: undefined });
    } else blocked.push({ task, op, on: names.objectOf(on), heldBy: waits(holdersOf(on)) });
  }
  return blocked;
}

function holdersOf(on: object | undefined): readonly ScopeNode[] {
  return on !== undefined && "_holders" in on ? (on as Held)._holders : [];
}

/** One cycle for each set of tasks that wait for one another in a ring: where a walk along the edges comes back to where it has been. */
function cyclesOf(edges: ReadonlyMap<ScopeNode, ReadonlySet<ScopeNode>>): ScopeNode[][] {
  const cycles: ScopeNode[][] = [];
  const finished = new Set<ScopeNode>();
  for (const start of edges.keys()) {
    const path: { readonly node: ScopeNode; readonly targets: Iterator<ScopeNode> }[] = [];
    const onPath = new Map<ScopeNode, number>();
    const enter = (node: ScopeNode): void => {
      onPath.set(node, path.length);
      path.push({ node, targets: (edges.get(node) ?? new Set<ScopeNode>()).values() });
    };
    if (!finished.has(start)) enter(start);
    while (path.length > 0) {
      const top = path[path.length - 1] as (typeof path)[number];
      const { value: target, done } = top.targets.next();
      if (done === true) {
        path.pop();
        onPath.delete(top.node);
        finished.add(top.node);
        continue;
      }
      const at = onPath.get(target);
      if (at !== undefined) cycles.push(path.slice(at).map(({ node }) => node));
      else if (!finished.has(target)) enter(target);
    }
  }
  return cycles;
}
