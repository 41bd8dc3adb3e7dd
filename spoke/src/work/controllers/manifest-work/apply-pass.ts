import type { HubError, KubeObject, ManifestWork, OwnerReference } from '@kmm-hub/api-types';
import { conditionOf, type KubeClient } from '@kmm-hub/kube';
import { checkExecutor } from '../../executor/executor.ts';
import { applyManifest } from '../../manifests/apply-manifest.ts';
import { applyOrder } from '../../manifests/apply-order.ts';
import { ExecutorDeniedError } from '../../manifests/errors.ts';
import { identifierOf } from '../../manifests/manifest.ts';
import { isOwned } from '../../manifests/ownership.ts';
import type { Retry } from './plan.ts';
import { expectedFailure, type ResolvedTarget, type Target } from './sighting.ts';
import { manifestStatusOf } from './status.ts';

/** What came of applying one manifest; `live` is the object as the API server gave it back. */
export type Applied = { failure?: HubError; live?: KubeObject };

/**
 * Applies every manifest, what others stand on first; one that fails stops no other, and one that is Complete is done with for
 * good. Gives the results by ordinal.
 * @throws UnreachableError
 */
export async function applyTargets(
  spoke: KubeClient,
  { work, targets, owner }: { work: ManifestWork; targets: readonly Target[]; owner: OwnerReference },
  signal: AbortSignal,
): Promise<Map<number, Applied>> {
  const results = new Map<number, Applied>();
  for (const ordinal of applyOrder(work.spec.workload?.manifests ?? [])) {
    const target = targets[ordinal];
    if (target === undefined) continue;
    if (target.failure !== undefined) results.set(ordinal, { failure: target.failure });
    else if (isComplete(work, target)) results.set(ordinal, {});
    else results.set(ordinal, await applyOne(spoke, { target, work, owner }, signal));
  }
  return results;
}

function isComplete(work: ManifestWork, { meta }: ResolvedTarget): boolean {
  const told = manifestStatusOf(work.status?.resourceStatus?.manifests ?? [], meta);
  return conditionOf(told?.conditions, 'Complete')?.status === 'True';
}

async function applyOne(
  spoke: KubeClient,
  { target, work, owner }: { target: ResolvedTarget; work: ManifestWork; owner: OwnerReference },
  signal: AbortSignal,
): Promise<Applied> {
  const { manifest, resource, config } = target;
  const { executor, deleteOption } = work.spec;
  const owned = isOwned(deleteOption, identifierOf(manifest, resource));
  try {
    if (executor) await checkExecutor(spoke, { executor, manifest, resource, owned }, signal);
    const task = { manifest, resource, strategy: config.strategy, owner, owned };
    const live = await applyManifest(spoke, task, signal);
    return live === undefined ? {} : { live };
  } catch (err) {
    return { failure: expectedFailure(err) };
  }
}

/** When another try may help. A field that another manager holds, and a manifest that is wrong, stay so for long. */
export function retryOf(results: Iterable<Applied>): Retry {
  const failures = [...results].flatMap(({ failure }) => (failure && failure.retry !== 'never' ? [failure] : []));
  if (failures.length === 0) return 'none';
  return failures.every((failure) => failure instanceof ExecutorDeniedError) ? 'inAMinute' : 'soon';
}
