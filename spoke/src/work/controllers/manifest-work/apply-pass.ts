import type { HubError, KubeObject, ManifestWork, OwnerReference } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { applyManifest } from '../../manifests/apply-manifest.ts';
import { applyOrder } from '../../manifests/apply-order.ts';
import { UnsupportedOptionError } from '../../manifests/errors.ts';
import { identifierOf } from '../../manifests/manifest.ts';
import { isOwned } from '../../manifests/ownership.ts';
import { expectedFailure, type ResolvedTarget, type Target } from './sighting.ts';

/** What came of applying one manifest; `live` is the object as the API server gave it back. */
export type Applied = { failure?: HubError; live?: KubeObject };

/**
 * Applies every manifest, what others stand on first; one that fails stops no other. Gives the results by ordinal.
 * @throws UnreachableError
 */
export async function applyTargets(
  spoke: KubeClient,
  { work, targets, owner }: { work: ManifestWork; targets: readonly Target[]; owner: OwnerReference },
  signal: AbortSignal,
): Promise<Map<number, Applied>> {
  const results = new Map<number, Applied>();
  const executor = work.spec.executor === undefined ? undefined : new UnsupportedOptionError('spec.executor');
  for (const ordinal of applyOrder(work.spec.workload?.manifests ?? [])) {
    const target = targets[ordinal];
    if (target === undefined) continue;
    if (target.failure !== undefined) results.set(ordinal, { failure: target.failure });
    else if (executor !== undefined) results.set(ordinal, { failure: executor });
    else results.set(ordinal, await applyOne(spoke, { target, work, owner }, signal));
  }
  return results;
}

async function applyOne(
  spoke: KubeClient,
  { target, work, owner }: { target: ResolvedTarget; work: ManifestWork; owner: OwnerReference },
  signal: AbortSignal,
): Promise<Applied> {
  const { manifest, resource, config } = target;
  const owned = isOwned(work.spec.deleteOption, identifierOf(manifest, resource));
  try {
    const task = { manifest, resource, strategy: config.strategy, owner, owned };
    const live = await applyManifest(spoke, task, signal);
    return live === undefined ? {} : { live };
  } catch (err) {
    return { failure: expectedFailure(err) };
  }
}

/** Whether another try soon may help. A field that another manager holds, and a manifest that is wrong, stay so for long. */
export function isWorthRetrying({ failure }: Applied): boolean {
  return failure !== undefined && failure.retry !== 'never';
}
