import { isDeepStrictEqual } from 'node:util';
import {
  explain,
  type KubeObject,
  type NodeFeature,
  type NodeResourceTopology,
  nodeFeature,
  nodeResourceTopology,
  type Resource,
} from '@kmm-hub/api-types';
import { backoffMs, type KubeClient, sleep } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import { discoverFeatures } from './features/discover.ts';
import type { HostRoot } from './features/host-root.ts';
import { nodeFeatureFor } from './features/node-feature.ts';
import { featureDefaults } from './features/options.ts';
import { nodeResourceTopologyFor } from './topology/node-resource-topology.ts';
import { discoverNumaZones } from './topology/numa-zones.ts';

export type DiscoveryOptions = {
  client: KubeClient;
  host: HostRoot;
  nodeName: string;
  namespace: string;
  intervalMs: number;
  log: Logger;
};

/** Reports what the node is, again and again, and writes only what changed. */
export class DiscoveryLoop {
  readonly #options: DiscoveryOptions;
  #problem: string | undefined = 'features: not reported yet';
  readonly #told = new Set<string>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Runs until aborted; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#once(signal);
        failures = 0;
        this.#problem = undefined;
      } catch (err) {
        if (signal.aborted) return;
        failures += 1;
        this.#problem = `features: ${explain(err)}`;
        this.#options.log.warn({ err, failures }, 'features not reported; tried again');
      }
      await sleep(
        failures > 0 ? backoffMs(failures, { firstMs: 500, maxMs: 60_000 }) : this.#options.intervalMs,
        signal,
      );
    }
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { host, nodeName, namespace } = this.#options;
    const discovery = await discoverFeatures({ host, options: { ...featureDefaults, nodeName }, signal });
    for (const { source, error } of discovery.failures) this.#tell({ source, reason: explain(error) });
    await this.#write<NodeFeature>(nodeFeature, nodeFeatureFor(nodeName, namespace, discovery), signal);
    const zones = await discoverNumaZones(host, signal);
    await this.#write<NodeResourceTopology>(nodeResourceTopology, nodeResourceTopologyFor(nodeName, zones), signal);
  }

  /** A source that cannot be read is told once, not every minute. */
  #tell(failure: { source: string; reason: string }): void {
    const text = JSON.stringify(failure);
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#options.log.warn(failure, 'a feature source cannot be read');
  }

  async #write<T extends KubeObject>(resource: Resource<T>, wanted: T, signal: AbortSignal): Promise<void> {
    const { client, log, nodeName } = this.#options;
    const { name, namespace } = wanted.metadata;
    const live = await client.getIfPresent(resource, { name, ...(namespace && { namespace }) }, signal);
    if (live === undefined) {
      await client.create(resource, wanted, signal);
      log.info({ node: nodeName, resource: resource.plural }, 'reported');
      return;
    }
    const { metadata: liveMetadata, apiVersion: _v, kind: _k, ...rest } = live;
    const { metadata, apiVersion: _wv, kind: _wk, ...wantedRest } = wanted;
    const labels = { ...liveMetadata.labels, ...metadata.labels };
    const annotations = { ...liveMetadata.annotations, ...metadata.annotations };
    const same =
      isDeepStrictEqual(rest, wantedRest) &&
      isDeepStrictEqual(labels, liveMetadata.labels ?? {}) &&
      isDeepStrictEqual(annotations, liveMetadata.annotations ?? {});
    if (same) return;
    const object = { ...wanted, metadata: { ...liveMetadata, labels, annotations } };
    await client.replace(resource, { object }, signal);
    log.info({ node: nodeName, resource: resource.plural }, 'reported a change');
  }
}
