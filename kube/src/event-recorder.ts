import { createHash } from 'node:crypto';
import { apiVersionOf, type KubeObject, kubeEvent, type Resource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import type { KubeClient } from './client.ts';

export type EventOptions = {
  resource: Resource;
  object: KubeObject;
  type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  reason: string;
  /** For a person, with the remedy. */
  message: string;
};

/** How many events are remembered for counting. */
const MEMORY = 1000;

/** Writes Events; the same event again raises the count of the first one. A failed write is logged and never an error. */
export class EventRecorder {
  readonly #seen = new Map<string, { name: string; count: number }>();
  readonly #options: { client: KubeClient; component: string; log: Logger };

  constructor(options: { client: KubeClient; component: string; log: Logger }) {
    this.#options = options;
  }

  async record(options: EventOptions, signal: AbortSignal): Promise<void> {
    const { log, component } = this.#options;
    try {
      await this.#write(options, signal);
    } catch (err) {
      log.warn({ err, component, reason: options.reason, object: options.object.metadata.name }, 'event not written');
    }
  }

  async #write({ resource, object, type, reason, message }: EventOptions, signal: AbortSignal): Promise<void> {
    const { client, component } = this.#options;
    const namespace = object.metadata.namespace ?? 'default';
    const id = createHash('sha256').update([object.metadata.uid, type, reason, message].join('\0')).digest('hex');
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const known = this.#seen.get(id);
    if (known !== undefined) {
      known.count += 1;
      const patch = { count: known.count, lastTimestamp: now };
      await client.patch(kubeEvent, { ref: { namespace, name: known.name }, patch }, signal);
      return;
    }
    const name = `${object.metadata.name}.${id.slice(0, 8)}${Date.now().toString(16)}`;
    const { uid } = object.metadata;
    const involvedObject = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      name: object.metadata.name,
      ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
      ...(uid !== undefined && { uid }),
    };
    const times = { count: 1, firstTimestamp: now, lastTimestamp: now };
    const source = { source: { component }, reportingComponent: component, reportingInstance: component };
    const event = { metadata: { name, namespace }, involvedObject, type, reason, message: message.slice(0, 1024) };
    await client.create(kubeEvent, { ...event, ...times, ...source }, signal);
    if (this.#seen.size >= MEMORY) this.#seen.delete(this.#seen.keys().next().value as string);
    this.#seen.set(id, { name, count: 1 });
  }
}
