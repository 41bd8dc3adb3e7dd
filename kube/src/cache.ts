import { type KubeObject, keyOf } from '@kmm-hub/api-types';
import type { WatchEvent } from './watch-stream.ts';

/** What changed: `old` is undefined for a new object, `current` for a deleted one. */
export type Change<T> = { key: string; old?: T; current?: T };

export type IndexFunction<T> = (object: T) => string[];

export type CacheOptions<T> = {
  /** Drops what nobody reads, so that memory stays bounded. managedFields always go. */
  trim?: (object: T) => T;
  /** Index name → the values of an object. */
  indexes?: Record<string, IndexFunction<T>>;
};

/** The objects of one resource as last seen. Filled by a reflector; read without a request. Objects are not to be changed. */
export class Cache<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #trim: (object: T) => T;
  #synced = false;

  constructor(options: CacheOptions<T> = {}) {
    this.#trim = options.trim ?? ((object) => object);
    for (const [name, of] of Object.entries(options.indexes ?? {})) this.#indexes.set(name, { of, keys: new Map() });
  }

  /** True once the first list is in. */
  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** The objects whose index has the value; an unknown index is a mistake of ours and throws. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`the cache has no index ${name}`);
    return [...(index.keys.get(value) ?? [])].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Calls the listener for every change from now on, and at once for every object that is there. */
  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.add(listener);
    for (const [key, current] of this.#objects) listener({ key, current });
  }

  /** The object as it would be kept. Doing it twice does nothing more. */
  trimmed(object: T): T {
    return this.#trim(withoutManagedFields(object));
  }

  /** Takes over a fresh list: what is not in it is gone. */
  replace(items: Iterable<T>): void {
    const fresh = new Map<string, T | undefined>();
    for (const key of this.#objects.keys()) fresh.set(key, undefined);
    for (const item of items) fresh.set(keyOf(item), item);
    try {
      this.#setAll(fresh);
    } finally {
      this.#synced = true;
    }
  }

  apply(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') return;
    this.#setAll([[keyOf(event.object), event.type === 'DELETED' ? undefined : event.object]]);
  }

  /** A mistake in an index or a listener is thrown at the end: it keeps nobody else from learning what changed. */
  #setAll(entries: Iterable<readonly [string, T | undefined]>): void {
    const errors: unknown[] = [];
    for (const [key, object] of entries) {
      try {
        const change = this.#set(key, object);
        if (change !== undefined) errors.push(...this.#tell(change));
      } catch (err) {
        errors.push(err);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'an index or a listener of a cache failed');
  }

  /** Answers with what changed, if anything did. */
  #set(key: string, object: T | undefined): Change<T> | undefined {
    const old = this.#objects.get(key);
    const current = object && this.trimmed(object);
    if (old === undefined && current === undefined) return undefined;
    if (old?.metadata.resourceVersion !== undefined && sameVersion(old, current)) return undefined;
    // all indexes are asked before the first one is changed: one that throws leaves everything as it was
    const moves = [...this.#indexes.values()].map(({ of, keys }) => {
      return { keys, from: old === undefined ? [] : of(old), to: current === undefined ? [] : of(current) };
    });
    for (const { keys, from, to } of moves) move(keys, key, { from, to });
    if (current === undefined) this.#objects.delete(key);
    else this.#objects.set(key, current);
    return { key, ...(old && { old }), ...(current && { current }) };
  }

  #tell(change: Change<T>): unknown[] {
    return [...this.#listeners].flatMap((listener) => {
      try {
        listener(change);
        return [];
      } catch (err) {
        return [err];
      }
    });
  }
}

type Index<T> = { of: IndexFunction<T>; keys: Map<string, Set<string>> };

/** Moves a key from the values of the old object to those of the current one; a value without keys is dropped. */
function move(keys: Index<unknown>['keys'], key: string, { from, to }: { from: string[]; to: string[] }): void {
  for (const value of from) {
    const bucket = keys.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) keys.delete(value);
  }
  for (const value of to) keys.set(value, (keys.get(value) ?? new Set()).add(key));
}

function sameVersion(old: KubeObject, current: KubeObject | undefined): boolean {
  return (
    current !== undefined &&
    old.metadata.resourceVersion === current.metadata.resourceVersion &&
    old.metadata.uid === current.metadata.uid
  );
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
