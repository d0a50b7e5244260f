import type { ScopeNode } from "./scope-node.js";

// The scopes right inside of another one are a circular list, so that each can leave it from anywhere.

/** Makes `child` the last one in `parent`. */
export function link(child: ScopeNode, parent: ScopeNode): void {
  child._parent = parent;
  const first = parent._firstChild;
  if (first === undefined) {
    child._next = child;
    child._previous = child;
    parent._firstChild = child;
  } else {
    const last = first._previous as ScopeNode;
    child._next = first;
    child._previous = last;
    last._next = child;
    first._previous = child;
  }
}

/** Takes `child` out of those in `parent`. */
export function unlink(child: ScopeNode, parent: ScopeNode): void {
  const next = child._next as ScopeNode;
  if (next === child) parent._firstChild = undefined;
  else {
    const previous = child._previous as ScopeNode;
    previous._next = next;
    next._previous = previous;
    if (parent._firstChild === child) parent._firstChild = next;
  }
  child._next = undefined;
  child._previous = undefined;
}
