/** Stands in for Node's, as far as files that mention it load: nothing follows a call through its awaits here, so there is never a store. */
export class AsyncLocalStorage<T> {
  run<R>(_store: T, body: () => R): R {
    return body();
  }

  exit<R>(body: () => R): R {
    return body();
  }

  getStore(): T | undefined {
    return undefined;
  }
}

export class AsyncResource {
  runInAsyncScope<R>(body: () => R): R {
    return body();
  }
}
