import { apiVersionOf, type KubeObject, type Resource } from '@kmm-hub/api-types';
import { Agent, type Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import { AlreadyExistsError, type ApiStatus, errorFor, NotFoundError, UnreachableError } from './errors.ts';
import { readWatchEvents, type WatchEvent } from './watch-stream.ts';

export type ObjectRef = { namespace?: string; name: string };
export type ListOptions = {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects a page. Default 500. */
  pageSize?: number;
};
export type ObjectList<T> = { items: T[]; resourceVersion: string };
export type WatchOptions = ListOptions & {
  resourceVersion: string;
  /** The server closes the watch after this long. */
  timeoutSeconds: number;
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
  /** Limit for one request that is not a watch. */
  timeoutMs: 30_000,
  /** Connections to one API server; a request over it waits. */
  connections: 64,
  pageSize: 500,
};

type Call = { method: Dispatcher.HttpMethod; path: string; body?: unknown; contentType?: string };

/** A small client for one API server. Every call takes a signal and has a limit; errors are typed (errors.ts). */
export class KubeClient {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly #connection: Connection;
  readonly #agent: Agent;
  readonly #userAgent: string;

  constructor(connection: Connection, userAgent = 'kmm-hub') {
    this.#connection = connection;
    this.server = connection.server;
    this.namespace = connection.namespace;
    this.#userAgent = userAgent;
    this.#agent = new Agent({
      connections: clientDefaults.connections,
      headersTimeout: clientDefaults.timeoutMs,
      bodyTimeout: clientDefaults.timeoutMs,
      connect: {
        timeout: 10_000,
        ...(connection.ca !== undefined && { ca: connection.ca }),
        ...connection.clientCertificate,
        rejectUnauthorized: !connection.skipTlsVerify,
      },
    });
  }

  async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, signal: AbortSignal): Promise<T> {
    return this.#json({ method: 'GET', path: pathOf(resource, ref) }, signal);
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
    let next = '';
    let resourceVersion = '';
    do {
      const query = queryOf(options, { limit: String(options.pageSize ?? clientDefaults.pageSize), continue: next });
      const path = `${pathOf(resource, { namespace: options.namespace ?? '', name: '' })}${query}`;
      const page = await this.#json<{ items: T[]; metadata: { resourceVersion: string; continue?: string } }>(
        { method: 'GET', path },
        signal,
      );
      items.push(...page.items);
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue ?? '';
    } while (next !== '');
    return { items, resourceVersion };
  }

  /**
   * Resolves once the server accepts the watch; then yields the events after `resourceVersion`, bookmarks included,
   * until the server's time-out. Silence beyond that is an error.
   */
  async watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<WatchEvent<T>>> {
    const query = queryOf(options, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
    });
    const path = `${pathOf(resource, { namespace: options.namespace ?? '', name: '' })}${query}`;
    const response = await this.#request({ method: 'GET', path }, signal, (options.timeoutSeconds + 15) * 1000);
    return readWatchEvents<T>(response.body, { server: this.server, request: `GET ${path}` });
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal): Promise<T> {
    const path = pathOf(resource, { namespace: object.metadata.namespace ?? '', name: '' });
    return this.#json({ method: 'POST', path, body: typed(resource, object) }, signal);
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
    return this.#json({ method: 'PUT', path, body: typed(resource, object) }, signal);
  }

  async patch<T extends KubeObject>(resource: Resource<T>, options: PatchOptions, signal: AbortSignal): Promise<T> {
    const { ref, type = 'merge', subresource, fieldManager, force } = options;
    const query = queryOf({}, { fieldManager: fieldManager ?? '', force: force ? 'true' : '' });
    const body = type === 'apply' ? typed(resource, options.patch as T) : options.patch;
    const path = `${pathOf(resource, ref, subresource)}${query}`;
    return this.#json({ method: 'PATCH', path, body, contentType: CONTENT_TYPES[type] }, signal);
  }

  /** Deletes; an object that is already gone is not an error. */
  async delete<T extends KubeObject>(resource: Resource<T>, options: DeleteOptions, signal: AbortSignal) {
    const { uid, resourceVersion, propagationPolicy } = options;
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    const body = { ...(propagationPolicy && { propagationPolicy }), preconditions };
    try {
      await this.#json({ method: 'DELETE', path: pathOf(resource, options), body }, signal);
    } catch (err) {
      if (!(err instanceof NotFoundError)) throw err;
    }
  }

  /** A path that is no resource, e.g. "/readyz" or "/apis": the JSON or text of the answer. */
  async raw<R>(path: string, signal: AbortSignal): Promise<R> {
    return this.#json({ method: 'GET', path }, signal);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #json<R>(call: Call, signal: AbortSignal): Promise<R> {
    const response = await this.#request(call, signal);
    try {
      const text = await response.body.text();
      return (isJson(response) ? JSON.parse(text) : text) as R;
    } catch (err) {
      throw signal.aborted ? signal.reason : new UnreachableError(this.server, { cause: err });
    }
  }

  async #request(call: Call, signal: AbortSignal, bodyTimeoutMs = clientDefaults.timeoutMs) {
    const authorization = await this.#connection.authorization();
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#userAgent };
    if (authorization !== undefined) headers.authorization = authorization;
    if (call.body !== undefined) headers['content-type'] = call.contentType ?? 'application/json';
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#agent.request({
        origin: this.server,
        path: call.path,
        method: call.method,
        headers,
        signal,
        bodyTimeout: bodyTimeoutMs,
        ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      });
    } catch (err) {
      throw signal.aborted ? signal.reason : new UnreachableError(this.server, { cause: err });
    }
    if (response.statusCode < 300) return response;
    throw errorFor(`${call.method} ${call.path}`, response.statusCode, await refusalOf(response));
  }
}

async function refusalOf(response: Dispatcher.ResponseData): Promise<ApiStatus & { retryAfterMs?: number }> {
  const text = (await response.body.text()).slice(0, 8192);
  const retryAfterMs = Number(response.headers['retry-after'] ?? 1) * 1000;
  if (!isJson(response)) return { message: text.trim(), retryAfterMs };
  try {
    return { ...(JSON.parse(text) as ApiStatus), retryAfterMs };
  } catch {
    return { message: text.trim(), retryAfterMs }; // cut or no JSON after all: the text is still the best reason
  }
}

function isJson(response: Dispatcher.ResponseData): boolean {
  return String(response.headers['content-type'] ?? '').startsWith('application/json');
}

function typed<T extends KubeObject>(resource: Resource<T>, object: T): T {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function pathOf(resource: Resource, ref: { namespace?: string; name: string }, subresource?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const namespace = resource.namespaced && ref.namespace ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  const name = ref.name ? `/${encodeURIComponent(ref.name)}` : '';
  return `${base}${namespace}/${resource.plural}${name}${subresource ? `/${subresource}` : ''}`;
}

function queryOf(options: Omit<ListOptions, 'pageSize' | 'namespace'>, more: Record<string, string>): string {
  const pairs = { labelSelector: options.labelSelector ?? '', fieldSelector: options.fieldSelector ?? '', ...more };
  const query = new URLSearchParams(Object.entries(pairs).filter(([, value]) => value !== '')).toString();
  return query === '' ? '' : `?${query}`;
}
