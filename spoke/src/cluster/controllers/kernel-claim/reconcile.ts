import { type ClusterClaim, clusterClaim, KERNEL_VERSIONS_CLAIM } from '@kmm-hub/api-types';
import type { ReconcileResult } from '@kmm-hub/kube';
import { FIELD_MANAGER } from '../../defaults.ts';
import type { KernelClaimDeps } from './deps.ts';
import { planKernelClaim } from './plan.ts';

/** There is one claim, so there is one key. Kernels are claimed as the nodes say them, of every node (KMM v2.6 §4.5). */
export async function reconcileKernelClaim(deps: KernelClaimDeps, signal: AbortSignal): Promise<ReconcileResult> {
  const { client, nodes, claims, log } = deps;
  const current = claims.get(KERNEL_VERSIONS_CLAIM);
  const kernels = nodes.list().flatMap(({ status }) => status?.nodeInfo?.kernelVersion || []);
  const { action, value, left } = planKernelClaim(kernels, claimedValue(current));
  if (action === 'none') return undefined;
  const ref = { name: KERNEL_VERSIONS_CLAIM };
  const spec = value === undefined ? {} : { value };
  if (action === 'create') await client.create(clusterClaim, { metadata: ref, spec }, signal);
  if (action === 'update')
    await client.patch(clusterClaim, { ref, patch: { spec }, fieldManager: FIELD_MANAGER }, signal);
  if (action === 'delete') await client.delete(clusterClaim, { ...ref, ...uidOf(current) }, signal);
  log.info({ action, claim: KERNEL_VERSIONS_CLAIM, left }, 'kernel claim changed');
  return undefined;
}

/** A claim that somebody emptied is there all the same: '' and not undefined, so that it is updated and not created. */
function claimedValue(claim: ClusterClaim | undefined): string | undefined {
  return claim === undefined ? undefined : (claim.spec?.value ?? '');
}

function uidOf(claim: ClusterClaim | undefined) {
  return claim?.metadata.uid === undefined ? {} : { uid: claim.metadata.uid };
}
