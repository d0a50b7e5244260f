import { peer } from "../peer.js";
import type { Contender } from "./contender.js";
import { child, childOf, FIRST, items, LIMIT, LONG, often, step, TEN, THREE, tally } from "./work.js";

interface Observable<out T> {
  pipe<A>(first: (source: Observable<T>) => A): A;
  pipe<A, B>(first: (source: Observable<T>) => A, second: (source: A) => B): B;
  subscribe(next?: (value: T) => void): { unsubscribe(): void };
}
type Operator<T, A> = (source: Observable<T>) => Observable<A>;
interface Library {
  from<T>(items: readonly T[] | Promise<T>): Observable<T>;
  range(first: number, count: number): Observable<number>;
  timer(ms: number): Observable<number>;
  defer<T>(fn: () => Promise<T> | Observable<T>): Observable<T>;
  forkJoin<T>(sources: readonly Observable<T>[]): Observable<T[]>;
  race<T>(sources: readonly Observable<T>[]): Observable<T>;
  mergeMap<T, A>(fn: (item: T) => Observable<A> | Promise<A>, limit?: number): Operator<T, A>;
  toArray<T>(): Operator<T, T[]>;
  timeout<T>(ms: number): Operator<T, T>;
  lastValueFrom<T>(source: Observable<T>, config?: { readonly defaultValue: T }): Promise<T>;
  readonly Subject: new <T>() => Observable<T> & { next(item: T): void; complete(): void };
}

export async function rxjs(): Promise<Contender> {
  const { range, timer, defer, forkJoin, race, mergeMap, toArray, timeout, lastValueFrom, Subject, from } = await peer<Library>("rxjs");
  const end = (source: Observable<void>) => lastValueFrom(source, { defaultValue: undefined });
  const sleepers = (n: number) =>
    range(0, n).pipe(
      mergeMap((i: number) => {
        tally.done++;
        return timer(LONG + i);
      }),
    );
  return {
    timed: {
      spawn: (n) => lastValueFrom(range(0, n).pipe(mergeMap((i: number) => childOf(i)()))),
      cancel: async (n) => {
        const subscription = sleepers(n).subscribe();
        await undefined;
        subscription.unsubscribe();
      },
      map: (n) => lastValueFrom(from(items(n)).pipe(mergeMap(step, LIMIT), toArray())),
      forEach: (n) => end(from(items(n)).pipe(mergeMap(child, LIMIT))),
      timeout: async (n) => {
        const job = defer(child).pipe(timeout(LONG));
        for (let i = 0; i < n; i++) await lastValueFrom(job);
      },
      all: (n) => {
        const job = forkJoin(TEN.map((fn) => defer(fn)));
        return often(n, () => lastValueFrom(job));
      },
      race: (n) => {
        const job = race(THREE.map((fn) => defer(fn)));
        return often(n, () => lastValueFrom(job));
      },
    },
    bytes: {
      idle: async (n, heap) => {
        const before = heap();
        const subscription = sleepers(n).subscribe();
        const bytes = (heap() - before) / n;
        subscription.unsubscribe();
        return bytes;
      },
      settled: async (n, heap) => {
        const subject = new Subject<number>();
        const subscription = subject.pipe(mergeMap(child)).subscribe();
        const one = async (i: number) => {
          subject.next(i);
          for (let k = 0; k < 4; k++) await undefined;
        };
        for (let i = 0; i < FIRST; i++) await one(i);
        const before = heap();
        for (let i = 0; i < n; i++) await one(i);
        const bytes = (heap() - before) / n;
        subscription.unsubscribe();
        return bytes;
      },
    },
  };
}
