import type { Module } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { LRUCache } from 'lru-cache';
import { clusterDefaults } from './defaults.ts';

/** Which Kubernetes the cluster runs. */
export interface KubernetesVersion {
  /** As the API server says it, e.g. "v1.33.4+k3s1". */
  ask(signal: AbortSignal): Promise<string>;
}

/**
 * Asks the API server's /version, which every authenticated user may read (ClusterRole system:public-info-viewer). What
 * goes wrong is an error and never remembered. `clock` counts milliseconds.
 */
export function askedKubernetesVersion(
  client: Pick<KubeClient, 'raw'>,
  clock: { now(): number } = performance,
): KubernetesVersion {
  const answers = new LRUCache<string, { gitVersion: string }>({
    max: 1,
    ttl: clusterDefaults.answerLifetimeMs,
    ttlResolution: 0, // else the cache remembers the time, too
    perf: clock,
    fetchMethod: (path, _stale, { signal }) => client.raw(path, signal),
  });
  return { ask: async (signal) => (await answers.forceFetch('/version', { signal })).gitVersion };
}

/** `undefined` when no Module asks for what only some versions have: then nothing is asked. */
export async function versionFor(
  modules: readonly Module[],
  { version }: { version: KubernetesVersion },
  signal: AbortSignal,
): Promise<string | undefined> {
  return modules.some(({ spec }) => spec.dra !== undefined) ? version.ask(signal) : undefined;
}
