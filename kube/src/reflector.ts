import { explain, type KubeObject, type Resource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { backoffMs, sleep } from './backoff.ts';
import { Cache, type CacheOptions } from './cache.ts';
import type { KubeClient, ListOptions } from './client.ts';
import { ResourceExpiredError } from './errors.ts';

export type ReflectorOptions<T extends KubeObject> = CacheOptions<T> & {
  client: KubeClient;
  resource: Resource<T>;
  select?: ListOptions;
  log: Logger;
};

/** The server ends a watch after this long, so a connection that died in silence is noticed soon after. */
const WATCH_SECONDS = 45;

/** A cache that follows one resource: it lists once, watches on, and lists again only after a 410. */
export class Reflector<T extends KubeObject> {
  readonly cache: Cache<T>;
  readonly #options: ReflectorOptions<T>;
  #problem: string | undefined = 'not listed yet';
  #resourceVersion = '';

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.cache = new Cache<T>(options);
  }

  /** Why the cache may be old, for /readyz; undefined while it follows. */
  get problem(): string | undefined {
    return this.#problem && `${this.#options.resource.plural}: ${this.#problem}`;
  }

  /** Runs until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const started = Date.now();
      const failed = await this.#once(failures, signal);
      // a server that closes every watch at once is not hammered either
      failures = failed || Date.now() - started < 500 ? failures + 1 : 0;
      await sleep(backoffMs(failures, { firstMs: 50, maxMs: 10_000 }), signal);
    }
  }

  /** Lists when it must, watches until the watch ends; true when that was an error. */
  async #once(failures: number, signal: AbortSignal): Promise<boolean> {
    const { resource, log } = this.#options;
    try {
      this.#resourceVersion ||= await this.#list(signal);
      await this.#watch(signal);
      return false;
    } catch (err) {
      if (signal.aborted) return false;
      if (err instanceof ResourceExpiredError) this.#resourceVersion = '';
      this.#problem = explain(err);
      log[failures === 0 ? 'debug' : 'warn']({ err, resource: resource.plural, failures }, 'watch ended');
      return true;
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, resource, select = {} } = this.#options;
    const { items, resourceVersion } = await client.list(resource, select, signal);
    this.cache.replace(items);
    this.#problem = undefined;
    return resourceVersion;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, select = {} } = this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (0.8 + Math.random() * 0.2));
    const options = { ...select, resourceVersion: this.#resourceVersion, timeoutSeconds };
    const events = await client.watch(resource, options, signal);
    this.#problem = undefined;
    for await (const event of events) {
      this.cache.apply(event);
      this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
    }
  }
}
