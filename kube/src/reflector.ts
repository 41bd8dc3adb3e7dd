import { explain, type KubeObject, keyOf, type Resource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { type Backoff, backoffMs, sleep } from './backoff.ts';
import { Cache, type CacheOptions } from './cache.ts';
import type { KubeClient, ListOptions } from './client.ts';
import { InvalidObjectError, ResourceExpiredError, TooManyRequestsError, UnreachableError } from './errors.ts';
import { isNewer } from './resource-version.ts';
import type { WatchEvent } from './watch-stream.ts';

export type ReflectorOptions<T extends KubeObject> = CacheOptions<T> & {
  client: Pick<KubeClient, 'server' | 'pages' | 'watch'>;
  resource: Resource<T>;
  select?: ListOptions;
  log: Logger;
  /** Limits and waits that differ from the defaults, as tests need them. */
  timing?: Partial<typeof reflectorDefaults>;
};

/** A connection that dies in silence is noticed within `watchSeconds` + `graceMs` + the first back-off: under a minute. */
export const reflectorDefaults = {
  /** The server ends a watch after this long; the next one resumes where it ended. */
  watchSeconds: 45,
  graceMs: 10_000,
  /** A watch that ends sooner than this counts as a failure, so that a flapping server is not hammered. */
  shortMs: 500,
  backoff: { firstMs: 50, maxMs: 10_000 } as Backoff,
};

/** KEP-3157: the bookmark behind the last of the initial events. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * A cache that follows one resource: it lists once, watches on, and lists again only after a 410. It takes the list as a
 * stream where the server offers that, else page by page.
 */
export class Reflector<T extends KubeObject> {
  readonly cache: Cache<T>;
  readonly #options: ReflectorOptions<T>;
  readonly #timing: typeof reflectorDefaults;
  #problem: string | undefined = 'not listed yet';
  #resourceVersion = '';
  #streamingList = true;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...reflectorDefaults, ...options.timing };
    this.cache = new Cache<T>(options);
  }

  /** Why the cache may be old, for /readyz; undefined while it follows. */
  get problem(): string | undefined {
    return this.#problem && `${this.#options.resource.plural}: ${this.#problem}`;
  }

  /** Runs until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const started = performance.now();
      const error = await this.#once(failures, signal);
      const short = performance.now() - started < this.#timing.shortMs;
      failures = error !== undefined || short ? failures + 1 : 0;
      const askedMs = error instanceof TooManyRequestsError ? error.retryAfterMs : 0;
      await sleep(Math.max(askedMs, backoffMs(failures, this.#timing.backoff)), signal);
    }
  }

  /** Lists when it must and watches until the watch ends; answers with the error that ended it. */
  async #once(failures: number, signal: AbortSignal): Promise<unknown> {
    const { resource, log } = this.#options;
    try {
      if (this.#resourceVersion === '' && !this.#streamingList) await this.#list(signal);
      await this.#watch(signal);
      return undefined;
    } catch (err) {
      if (signal.aborted) return undefined;
      if (err instanceof ResourceExpiredError) this.#resourceVersion = '';
      // an older API server, or one whose feature gate WatchList is off
      if (err instanceof InvalidObjectError && this.#resourceVersion === '') this.#streamingList = false;
      this.#problem = explain(err);
      log[failures === 0 ? 'debug' : 'warn']({ err, resource: resource.plural, failures }, 'watch ended');
      return err;
    }
  }

  /** Trims page by page: the whole objects of one page are in memory at once, not those of the whole list. */
  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, select = {} } = this.#options;
    const items: T[] = [];
    let version = '';
    for await (const page of client.pages(resource, select, signal)) {
      for (const item of page.items) items.push(this.cache.trimmed(item));
      version = page.resourceVersion;
    }
    this.#replace(items, version);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, select } = this.#options;
    const { pageSize: _, ...selection } = select ?? {};
    const { watchSeconds, graceMs } = this.#timing;
    const timeoutSeconds = Math.max(1, Math.round(watchSeconds * (0.8 + Math.random() * 0.2)));
    const from = this.#resourceVersion === '' ? {} : { resourceVersion: this.#resourceVersion };
    const events = await client.watch(resource, { ...selection, ...from, timeoutSeconds, graceMs }, signal);
    if (this.#resourceVersion === '') await this.#takeInitialEvents(events);
    this.#problem = undefined;
    for await (const event of events) this.#apply(event);
  }

  /** Collects the objects that are there and hands them over as one list, so that nobody sees half of it. */
  async #takeInitialEvents(events: AsyncGenerator<WatchEvent<T>>): Promise<void> {
    const objects = new Map<string, T>();
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const { type, object } = next.value;
      if (type === 'DELETED') objects.delete(keyOf(object));
      else if (type !== 'BOOKMARK') objects.set(keyOf(object), this.cache.trimmed(object));
      else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
        this.#replace(objects.values(), object.metadata.resourceVersion ?? '');
        return;
      }
    }
    this.#streamingList = false; // it takes longer than a watch lives
    throw new UnreachableError(this.#options.client.server, { cause: 'the streaming list ended before its end' });
  }

  #replace(items: Iterable<T>, resourceVersion: string): void {
    this.#resourceVersion = resourceVersion; // first, as in #apply: a listener's mistake does not list again for ever
    this.#problem = undefined;
    this.cache.replace(items);
  }

  /** An event that is not newer than what was seen is one seen before, and may be older than what the cache holds. */
  #apply(event: WatchEvent<T>): void {
    const { resourceVersion } = event.object.metadata;
    if (resourceVersion !== undefined && !isNewer(resourceVersion, this.#resourceVersion)) return;
    this.#resourceVersion = resourceVersion ?? this.#resourceVersion;
    this.cache.apply(event);
  }
}
