import type { CancelScope } from "./scope.js";

// Browsers have nothing that follows a call through its awaits, until AsyncContext ships: scopes are passed as arguments there.

export const isAmbientSupported: boolean = false;

export function ambientScope(): CancelScope | undefined {
  return undefined;
}

export function withAmbientScope<A, R>(_scope: CancelScope | undefined, body: (argument: A) => R, argument: A): R {
  return body(argument);
}

export function enterAmbientScope<A, R>(_scope: CancelScope, body: (argument: A) => R, argument: A): R {
  return body(argument);
}

export function allowManyListeners(_signal: AbortSignal): void {}
