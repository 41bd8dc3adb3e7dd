import { createHash } from 'node:crypto';
import { apiVersionOf, type KubeObject, keyOf, kubeEvent, type Resource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import type { KubeClient } from './client.ts';
import { NotFoundError } from './errors.ts';
import { EventBudget, eventDefaults, RecentMap, SimilarEvents } from './event-limits.ts';

export type EventOptions = {
  resource: Resource;
  object: KubeObject;
  type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  reason: string;
  /** For a person, with the remedy. */
  message: string;
  /** Of the Event, for those who look for events by more than its words. Not on one that stands for several. */
  annotations?: Readonly<Record<string, string>>;
};

type Written = { name: string; namespace: string; count: number };

/**
 * Writes Events; the same event again raises the count of the first one, and a flood is cut short (event-limits.ts). A
 * failed write is logged and never an error.
 */
export class EventRecorder {
  /** The write of one event waits for the one before it: two at once would both create it. */
  readonly #written = new RecentMap<Promise<Written | undefined>>(eventDefaults.memory);
  readonly #budget = new EventBudget();
  readonly #similar = new SimilarEvents();
  readonly #options: { client: Pick<KubeClient, 'create' | 'patch'>; component: string; log: Logger };

  constructor(options: { client: Pick<KubeClient, 'create' | 'patch'>; component: string; log: Logger }) {
    this.#options = options;
  }

  async record(options: EventOptions, signal: AbortSignal): Promise<void> {
    const { log, component } = this.#options;
    const { object, reason } = options;
    const event = this.#identified(options);
    if (!this.#budget.take(object.metadata.uid ?? keyOf(object), performance.now())) {
      log.debug({ component, reason, object: object.metadata.name }, 'event left out: too many of one object');
      return;
    }
    const write = this.#writeAfter(this.#written.get(event.id), event, signal);
    this.#written.set(event.id, write);
    await write;
  }

  /** Two events with one id are the same one; those that differ too often in their words share one. */
  #identified(options: EventOptions): EventOptions & { id: string } {
    const { object, type, reason, message } = options;
    const group = [object.metadata.uid ?? keyOf(object), type, reason];
    if (!this.#similar.tooMany(hash(group), message, performance.now())) {
      return { ...options, id: hash([...group, message]) };
    }
    const { annotations: _ofOne, ...shared } = options;
    return { ...shared, message: `(combined from similar events) ${message}`, id: hash(group) };
  }

  async #writeAfter(
    before: Promise<Written | undefined> | undefined,
    options: EventOptions & { id: string },
    signal: AbortSignal,
  ): Promise<Written | undefined> {
    const { log, component } = this.#options;
    const known = await before;
    try {
      return (known && (await this.#raise(known, options.message, signal))) ?? (await this.#create(options, signal));
    } catch (err) {
      log.warn({ err, component, reason: options.reason, object: options.object.metadata.name }, 'event not written');
      return known;
    }
  }

  /** `undefined` when the API server has dropped the event meanwhile: it keeps one for an hour. */
  async #raise(
    { name, namespace, count }: Written,
    message: string,
    signal: AbortSignal,
  ): Promise<Written | undefined> {
    const patch = { count: count + 1, lastTimestamp: seconds(), message: message.slice(0, 1024) };
    try {
      await this.#options.client.patch(kubeEvent, { ref: { namespace, name }, patch }, signal);
    } catch (err) {
      if (err instanceof NotFoundError) return undefined;
      throw err;
    }
    return { name, namespace, count: count + 1 };
  }

  async #create(options: EventOptions & { id: string }, signal: AbortSignal): Promise<Written> {
    const { resource, object, type, reason, message, annotations, id } = options;
    const { client, component } = this.#options;
    const { name: objectName, namespace: objectNamespace, uid } = object.metadata;
    const namespace = objectNamespace ?? 'default';
    const name = `${objectName.slice(0, 230)}.${id.slice(0, 8)}${Date.now().toString(16)}`;
    const involvedObject = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      name: objectName,
      ...(objectNamespace !== undefined && { namespace: objectNamespace }),
      ...(uid !== undefined && { uid }),
    };
    const now = seconds();
    const times = { count: 1, firstTimestamp: now, lastTimestamp: now };
    const source = { source: { component }, reportingComponent: component, reportingInstance: component };
    const metadata = { name, namespace, ...(annotations && { annotations }) };
    const event = { metadata, involvedObject, type, reason, message: message.slice(0, 1024) };
    await client.create(kubeEvent, { ...event, ...times, ...source }, signal);
    return { name, namespace, count: 1 };
  }
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

/** metav1.Time has no fractions. */
function seconds(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
