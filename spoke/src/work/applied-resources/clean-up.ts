import type { AppliedResource, KubeObject, Resource } from '@kmm-hub/api-types';
import { ConflictError, type KubeClient } from '@kmm-hub/kube';
import { planCleanUp } from './plan.ts';

/**
 * Deletes what a work does not own any more. Gives those that are not gone yet, to be asked for again soon.
 * `ownerUid` is the AppliedManifestWork's.
 */
export async function cleanUp(
  client: KubeClient,
  { resources, ownerUid }: { resources: readonly AppliedResource[]; ownerUid: string },
  signal: AbortSignal,
): Promise<AppliedResource[]> {
  const pending: AppliedResource[] = [];
  for (const recorded of resources) {
    if (await cleanUpOne(client, { recorded, ownerUid }, signal)) pending.push(recorded);
  }
  return pending;
}

/** True while the object is still going. */
async function cleanUpOne(
  client: KubeClient,
  { recorded, ownerUid }: { recorded: AppliedResource; ownerUid: string },
  signal: AbortSignal,
): Promise<boolean> {
  const resource = resourceOf(recorded);
  const live = await client.getIfPresent(resource, recorded, signal);
  const action = planCleanUp({ recorded, live, ownerUid });
  if (live === undefined || action === 'forget') return false;
  if (action === 'disown') await disown(client, { resource, live, ownerUid }, signal);
  if (action === 'delete') return deleted(client, { resource, live }, signal);
  return action === 'wait';
}

/** True when the API server took the deletion; finalizers may hold the object for long. */
async function deleted(
  client: KubeClient,
  { resource, live }: { resource: Resource; live: KubeObject },
  signal: AbortSignal,
): Promise<boolean> {
  const { name, namespace, uid } = live.metadata;
  const ref = { name, ...(namespace !== undefined && { namespace }) };
  try {
    await client.delete(resource, { ...ref, ...(uid && { uid }), propagationPolicy: 'Background' }, signal);
    return (await client.getIfPresent(resource, ref, signal))?.metadata.uid === uid; // most are gone at once
  } catch (err) {
    if (err instanceof ConflictError) return false; // somebody made it again under the name: it is theirs
    throw err;
  }
}

async function disown(
  client: KubeClient,
  { resource, live, ownerUid }: { resource: Resource; live: KubeObject; ownerUid: string },
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = live.metadata;
  const ownerReferences = live.metadata.ownerReferences?.filter((owner) => owner.uid !== ownerUid);
  await client.patch(
    resource,
    { ref: live.metadata, patch: { metadata: { uid, resourceVersion, ownerReferences } } },
    signal,
  );
}

/** The kind is not recorded and not needed: no object is created through this resource. */
function resourceOf({ group = '', version, resource, namespace = '' }: AppliedResource): Resource {
  return { group, version, plural: resource, kind: '', namespaced: namespace !== '' };
}
