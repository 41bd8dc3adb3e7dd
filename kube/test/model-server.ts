import type { ConfigMap, KubeObject } from '@kmm-hub/api-types';
import type { WatchOptions } from '../src/client.ts';
import {
  ApiError,
  InvalidObjectError,
  ResourceExpiredError,
  TooManyRequestsError,
  UnreachableError,
} from '../src/errors.ts';
import type { ReflectorOptions } from '../src/reflector.ts';
import type { WatchEvent } from '../src/watch-stream.ts';

/** What befalls the next request. */
export type Trouble = 'unreachable' | 'internal' | 'expired' | 'throttled' | 'no-streaming' | 'cut-list';

type Recorded = { version: number; type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: ConfigMap };

/**
 * The rules of an API server's lists and watches as far as a reflector can see them, without time and network: one order of
 * versions, a history that can be forgotten, watches that end when they are cut. For properties; the real server has tests of
 * its own.
 */
export class ModelServer {
  readonly troubles: Trouble[] = [];
  /** Lists and streaming lists that were answered. */
  lists = 0;
  readonly client: ReflectorOptions<ConfigMap>['client'];
  readonly #objects = new Map<string, ConfigMap>();
  readonly #history: Recorded[] = [];
  readonly #duplicates: boolean;
  readonly #waiting = new Set<() => void>();
  #version = 1;
  #oldest = 0;
  #cuts = 0;

  /** `duplicates`: each event is followed by old ones again. */
  constructor({ duplicates }: { duplicates: boolean }) {
    this.#duplicates = duplicates;
    this.client = { server: 'model', pages: this.#pages, watch: this.#watch } as unknown as typeof this.client;
  }

  write(name: string, value: string): void {
    const present = this.#objects.get(name);
    this.#version += 1;
    const uid = present?.metadata.uid ?? `uid-${this.#version}`;
    const object = { metadata: { name, uid, resourceVersion: String(this.#version) }, data: { value } };
    this.#objects.set(name, object);
    this.#record(present === undefined ? 'ADDED' : 'MODIFIED', object);
  }

  remove(name: string): void {
    const present = this.#objects.get(name);
    if (present === undefined) return;
    this.#objects.delete(name);
    this.#version += 1;
    this.#record('DELETED', { ...present, metadata: { ...present.metadata, resourceVersion: String(this.#version) } });
  }

  list(): ConfigMap[] {
    return [...this.#objects.values()].sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  }

  /** Ends every watch. */
  cut(): void {
    this.#cuts += 1;
    this.#wake();
  }

  /** Forgets the history: a watch from before is answered 410. */
  compact(): void {
    this.#oldest = this.#version;
  }

  #record(type: Recorded['type'], object: ConfigMap): void {
    this.#history.push({ version: this.#version, type, object });
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #meet(streaming: boolean): Trouble | undefined {
    const trouble = this.troubles.shift();
    if (trouble === 'unreachable') throw new UnreachableError('model', {});
    if (trouble === 'internal') throw new ApiError('GET', 500, {});
    if (trouble === 'throttled') throw new TooManyRequestsError('GET', 0, {});
    if (trouble === 'expired') throw new ResourceExpiredError('GET', 410, {});
    if (trouble === 'no-streaming' && streaming) throw new InvalidObjectError('GET', 422, {});
    return trouble;
  }

  readonly #pages = async function* (this: ModelServer) {
    const trouble = this.#meet(false);
    const [items, resourceVersion] = [this.list(), String(this.#version)];
    yield { items: items.slice(0, 2), resourceVersion };
    await new Promise((resolve) => setImmediate(resolve)); // the world goes on between two pages
    if (trouble === 'cut-list') throw new UnreachableError('model', {});
    this.lists += 1;
    yield { items: items.slice(2), resourceVersion };
  }.bind(this);

  readonly #watch = async (_resource: unknown, { resourceVersion }: WatchOptions, signal: AbortSignal) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => this.cut());
    const trouble = this.#meet(resourceVersion === undefined);
    if (resourceVersion === undefined) return this.#streamingList(trouble === 'cut-list', this.#cuts);
    if (Number(resourceVersion) < this.#oldest) throw new ResourceExpiredError('GET', 410, {});
    return this.#events(Number(resourceVersion), this.#cuts);
  };

  async *#streamingList(cut: boolean, cuts: number): AsyncGenerator<WatchEvent<ConfigMap>> {
    const version = this.#version;
    for (const object of this.list()) yield { type: 'ADDED', object };
    if (cut) throw new UnreachableError('model', {});
    this.lists += 1;
    yield bookmark(version, { 'k8s.io/initial-events-end': 'true' });
    yield* this.#events(version, cuts);
  }

  async *#events(from: number, cuts: number): AsyncGenerator<WatchEvent<ConfigMap>> {
    for (let seen = from; this.#cuts === cuts; ) {
      const next = this.#history.find(({ version }) => version > seen);
      if (next === undefined) {
        await new Promise<void>((wake) => this.#waiting.add(wake));
        continue;
      }
      yield next;
      if (this.#duplicates)
        yield* this.#history
          .filter(({ version }) => version <= next.version)
          .slice(-3)
          .reverse();
      seen = next.version;
      yield bookmark(seen);
    }
  }
}

function bookmark(version: number, annotations?: Record<string, string>): WatchEvent<ConfigMap> {
  const metadata: KubeObject['metadata'] = {
    name: '',
    resourceVersion: String(version),
    ...(annotations && { annotations }),
  };
  return { type: 'BOOKMARK', object: { metadata } };
}
