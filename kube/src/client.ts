import { apiVersionOf, type KubeObject, type Resource } from '@kmm-hub/api-types';
import type { ClientObserver } from './client-metrics.ts';
import type { Connection } from './credentials.ts';
import type { ConnectionLimits, Fence } from './dispatchers.ts';
import { AlreadyExistsError, NotFoundError } from './errors.ts';
import { pathOf, queryOf } from './resource-path.ts';
import { type Call, Transport } from './transport.ts';
import { readWatchEvents, type WatchEvent } from './watch-stream.ts';

export type ObjectRef = { namespace?: string; name: string };
type Selection = { namespace?: string; labelSelector?: string; fieldSelector?: string };
export type ListOptions = Selection & {
  /** Objects a page. Default 500. */
  pageSize?: number;
};
export type ObjectList<T> = { items: T[]; resourceVersion: string };
export type WatchOptions = Selection & {
  /** Left out: a streaming list. */
  resourceVersion?: string;
  /** The server closes the watch after this long. */
  timeoutSeconds: number;
  /** How long after that the connection counts as dead. Default 10 000. */
  graceMs?: number;
};
export type PatchOptions = {
  ref: ObjectRef;
  patch: unknown;
  /** merge: RFC 7396, json: RFC 6902, apply: server-side apply. Default merge. */
  type?: 'merge' | 'json' | 'apply';
  subresource?: string;
  fieldManager?: string;
  force?: boolean;
};
export type DeleteOptions = ObjectRef & {
  uid?: string;
  resourceVersion?: string;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
};

const CONTENT_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export const clientDefaults = {
  /** Objects a page of a list. */
  pageSize: 500,
  /** A watch that brings nothing for this long after its server should have closed it is dead. */
  watchGraceMs: 10_000,
};

export type ClientOptions = Partial<ConnectionLimits> & {
  /** Asked before every write goes out (leader-election.ts); it throws when the write must not. */
  fence?: Fence;
  observer?: ClientObserver;
};

/**
 * A small client for one API server. Every call takes a signal and has a limit (30 s; 64 at once, more wait); errors are
 * typed (errors.ts). A read that is throttled is sent again as late as the server asks; everything else is tried once.
 */
export class KubeClient {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly #transport: Transport;
  readonly #fence: { fence?: Fence };
  readonly #observer: ClientObserver | undefined;

  constructor(connection: Connection, userAgent = 'kmm-hub', { fence, ...options }: ClientOptions = {}) {
    this.server = connection.server;
    this.namespace = connection.namespace;
    this.#observer = options.observer;
    this.#transport = new Transport(connection, { ...options, userAgent });
    this.#fence = fence === undefined ? {} : { fence };
  }

  async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, signal: AbortSignal): Promise<T> {
    return this.#transport.json({ method: 'GET', path: pathOf(resource, ref) }, signal);
  }

  /** `undefined` when the object is not there. */
  async getIfPresent<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, signal: AbortSignal) {
    try {
      return await this.get(resource, ref, signal);
    } catch (err) {
      if (err instanceof NotFoundError) return undefined;
      throw err;
    }
  }

  /** All pages. The items come without apiVersion and kind, as the API server sends them. */
  async list<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ObjectList<T>> {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.pages(resource, options, signal)) {
      for (const item of page.items) items.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  /** A list page by page, all of one resource version. @throws ResourceExpiredError when it took so long that that is gone. */
  async *pages<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions,
    signal: AbortSignal,
  ): AsyncGenerator<ObjectList<T>> {
    const { pageSize = clientDefaults.pageSize, ...selection } = options;
    let next: string | undefined = '';
    this.#observer?.listed(resource.plural);
    while (next !== undefined) {
      const path = collectionPath(resource, selection, { limit: String(pageSize), continue: next });
      const { items, metadata } = await this.#transport.json<ListAnswer<T>>({ method: 'GET', path }, signal);
      yield { items, resourceVersion: metadata.resourceVersion };
      next = metadata.continue || undefined;
    }
  }

  /**
   * Resolves once the server accepts the watch; then yields the events after `resourceVersion`, bookmarks included, until
   * the server's time-out. Silence beyond that is an error. Without `resourceVersion`: first every object there is as
   * ADDED, then a bookmark that says so (KEP-3157, "streaming list"); an InvalidObjectError when the server cannot.
   */
  async watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<WatchEvent<T>>> {
    const { resourceVersion, timeoutSeconds, graceMs = clientDefaults.watchGraceMs, ...selection } = options;
    const streamingList = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
    const path = collectionPath(resource, selection, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timeoutSeconds),
      ...(resourceVersion === undefined ? streamingList : { resourceVersion }),
    });
    const body = await this.#transport.stream(path, timeoutSeconds * 1000 + graceMs, signal);
    if (resourceVersion === undefined) this.#observer?.listed(resource.plural);
    this.#observer?.watched(resource.plural);
    const onEvent = (type: string) => this.#observer?.received(resource.plural, type);
    return readWatchEvents<T>(body, { server: this.server, request: `GET ${path}`, onEvent });
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal): Promise<T> {
    const path = pathOf(resource, { namespace: object.metadata.namespace ?? '' });
    return this.#write({ method: 'POST', path, body: typed(resource, object) }, signal);
  }

  /** `undefined` when an object of that name is already there. */
  async createIfAbsent<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal) {
    try {
      return await this.create(resource, object, signal);
    } catch (err) {
      if (err instanceof AlreadyExistsError) return undefined;
      throw err;
    }
  }

  /** PUT: refused with a ConflictError unless metadata.resourceVersion is the live one. */
  async replace<T extends KubeObject>(
    resource: Resource<T>,
    { object, subresource }: { object: T; subresource?: string },
    signal: AbortSignal,
  ): Promise<T> {
    const path = pathOf(resource, object.metadata, subresource);
    return this.#write({ method: 'PUT', path, body: typed(resource, object) }, signal);
  }

  async patch<T extends KubeObject>(resource: Resource<T>, options: PatchOptions, signal: AbortSignal): Promise<T> {
    const { ref, type = 'merge', subresource, fieldManager, force } = options;
    const query = queryOf({ fieldManager, force: force ? 'true' : undefined });
    const body = type === 'apply' ? typed(resource, options.patch as T) : options.patch;
    const path = `${pathOf(resource, ref, subresource)}${query}`;
    return this.#write({ method: 'PATCH', path, body, contentType: CONTENT_TYPES[type] }, signal);
  }

  /** Deletes; an object that is already gone is not an error. */
  async delete<T extends KubeObject>(resource: Resource<T>, options: DeleteOptions, signal: AbortSignal) {
    const { uid, resourceVersion, propagationPolicy } = options;
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    const body = { ...(propagationPolicy && { propagationPolicy }), preconditions };
    try {
      await this.#write({ method: 'DELETE', path: pathOf(resource, options), body }, signal);
    } catch (err) {
      if (!(err instanceof NotFoundError)) throw err;
    }
  }

  /** A path that is no resource, e.g. "/readyz" or "/apis": the JSON or text of the answer. */
  async raw<R>(path: string, signal: AbortSignal): Promise<R> {
    return this.#transport.json({ method: 'GET', path }, signal);
  }

  /** Ends every connection; what is under way fails. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #write<R>(call: Call, signal: AbortSignal): Promise<R> {
    return this.#transport.json({ ...call, ...this.#fence }, signal);
  }
}

type ListAnswer<T> = { items: T[]; metadata: { resourceVersion: string; continue?: string } };

function typed<T extends KubeObject>(resource: Resource<T>, object: T): T {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function collectionPath(resource: Resource, selection: Selection, more: Record<string, string>): string {
  const { namespace = '', ...selectors } = selection;
  return `${pathOf(resource, { namespace })}${queryOf({ ...selectors, ...more })}`;
}
