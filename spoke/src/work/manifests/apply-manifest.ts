import type { KubeObject, OwnerReference, Resource, UpdateStrategy } from '@kmm-hub/api-types';
import { backoffMs, ConflictError, type KubeClient, sleep } from '@kmm-hub/kube';
import { FieldConflictError } from './errors.ts';
import { CONFIG_SPEC_HASH_ANNOTATION, withoutIgnoredFields } from './ignore-fields.ts';
import type { Manifest } from './manifest.ts';
import { mergeForUpdate, objectToApply, objectToCreate } from './merge.ts';
import { withOwnership } from './ownership.ts';

export type ApplyTask = {
  manifest: Manifest;
  resource: Resource;
  strategy: UpdateStrategy;
  owner: OwnerReference;
  /** Whether the object goes away with the work. */
  owned: boolean;
};

/** What somebody else writes at the same moment is read again this often within one pass, as OCM does. */
const CONFLICT_TRIES = 4;
const conflictBackoff = { firstMs: 10, maxMs: 1250 };

/**
 * Brings one object to what its manifest says, by the strategy of the work. Gives the object as it then is; `undefined` for
 * ReadOnly, which touches nothing.
 * @throws HubError what the API server refuses; FieldConflictError, IgnoreFieldsError.
 */
export async function applyManifest(
  client: KubeClient,
  task: ApplyTask,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  switch (task.strategy.type) {
    case 'ReadOnly':
      return undefined;
    case 'ServerSideApply':
      return applyOnServer(client, task, signal);
    case 'CreateOnly':
      return againOnConflict(() => createOnly(client, task, signal), signal);
    case 'Update':
      return againOnConflict(() => update(client, task, signal), signal);
  }
}

async function update(client: KubeClient, task: ApplyTask, signal: AbortSignal): Promise<KubeObject> {
  const { manifest, resource } = task;
  const live = await client.getIfPresent(resource, manifest.metadata, signal);
  if (live === undefined) return create(client, task, signal);
  const object = mergeForUpdate(live, manifest, withOwnership(live.metadata.ownerReferences, task));
  return object === undefined ? live : client.replace(resource, { object }, signal);
}

/** An object that is already there is left as it is, but adopted. */
async function createOnly(client: KubeClient, task: ApplyTask, signal: AbortSignal): Promise<KubeObject> {
  const live = await client.getIfPresent(task.resource, task.manifest.metadata, signal);
  return live === undefined ? create(client, task, signal) : setOwnership(client, { ...task, live }, signal);
}

async function create(client: KubeClient, task: ApplyTask, signal: AbortSignal): Promise<KubeObject> {
  const { manifest, resource, owner, owned } = task;
  return client.create(resource, objectToCreate(manifest, owned ? [owner] : []), signal);
}

async function applyOnServer(client: KubeClient, task: ApplyTask, signal: AbortSignal): Promise<KubeObject> {
  const { ignoreFields = [] } = task.strategy.serverSideApply ?? {};
  if (ignoreFields.length === 0) return sendApply(client, task, signal);
  const { whole, filtered, hash } = withoutIgnoredFields(task.manifest, ignoreFields);
  const live = await client.getIfPresent(task.resource, task.manifest.metadata, signal);
  if (live === undefined) return sendApply(client, { ...task, manifest: whole }, signal);
  const unchanged = live.metadata.annotations?.[CONFIG_SPEC_HASH_ANNOTATION] === hash;
  // deleteOption may have changed all the same
  return unchanged
    ? own(client, { ...task, live }, signal)
    : sendApply(client, { ...task, manifest: filtered }, signal);
}

async function sendApply(client: KubeClient, task: ApplyTask, signal: AbortSignal): Promise<KubeObject> {
  const { manifest, resource, strategy } = task;
  const { fieldManager = 'work-agent', force = false } = strategy.serverSideApply ?? {};
  const options = {
    ...{ ref: manifest.metadata, type: 'apply' as const, patch: objectToApply(manifest) },
    ...{ fieldManager, force },
  };
  const live = await unlessFieldConflict(force, () => client.patch(resource, options, signal));
  return own(client, { ...task, live }, signal);
}

/** The object's own controller may have written since it was read, for example its finalizer. */
async function own(client: KubeClient, task: ApplyTask & { live: KubeObject }, signal: AbortSignal) {
  return againOnConflict(async (tries) => {
    const live = tries === 1 ? task.live : await client.get(task.resource, task.manifest.metadata, signal);
    return setOwnership(client, { ...task, live }, signal);
  }, signal);
}

/** Without `force` a conflict of an apply is with another manager over a field. */
async function unlessFieldConflict<T>(force: boolean, apply: () => Promise<T>): Promise<T> {
  try {
    return await apply();
  } catch (err) {
    if (force || !(err instanceof ConflictError)) throw err;
    throw new FieldConflictError(err.message, { cause: err });
  }
}

/** Not a part of the apply: two works that apply one object under one manager would take each other's reference away. */
async function setOwnership(
  client: KubeClient,
  { resource, live, owner, owned }: Omit<ApplyTask, 'strategy' | 'manifest'> & { live: KubeObject },
  signal: AbortSignal,
): Promise<KubeObject> {
  const { uid, resourceVersion, ownerReferences: current } = live.metadata;
  const ownerReferences = withOwnership(current, { owner, owned });
  if (ownerReferences.length === (current ?? []).length) return live;
  const patch = { metadata: { uid, resourceVersion, ownerReferences } };
  return client.patch(resource, { ref: live.metadata, patch }, signal);
}

async function againOnConflict<T>(act: (tries: number) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act(tries);
    } catch (err) {
      if (!(err instanceof ConflictError) || tries >= CONFLICT_TRIES) throw err;
      await sleep(backoffMs(tries, conflictBackoff), signal);
    }
  }
}
