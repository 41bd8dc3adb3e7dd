import type { AppliedResource, KubeObject } from '@kmm-hub/api-types';

/** forget: not ours any more; wait: it is going; disown: another work owns it too. */
export type CleanUpAction = 'forget' | 'disown' | 'wait' | 'delete';

/**
 * What to do with an object that its work does not name any more (OCM's table, in this order). `live` is undefined when it is
 * gone; `ownerUid` is the AppliedManifestWork's. What somebody made again under the name is theirs.
 */
export function planCleanUp(input: {
  recorded: AppliedResource;
  live: KubeObject | undefined;
  ownerUid: string;
}): CleanUpAction {
  const { recorded, live, ownerUid } = input;
  if (live === undefined) return 'forget';
  const owners = live.metadata.ownerReferences ?? [];
  if (!owners.some(({ uid }) => uid === ownerUid)) return 'forget';
  if (owners.some(({ kind, uid }) => kind === 'AppliedManifestWork' && uid !== ownerUid)) return 'disown';
  if (recorded.uid !== live.metadata.uid) return 'forget';
  return live.metadata.deletionTimestamp === undefined ? 'delete' : 'wait';
}

/** What was applied once and is not wanted any more. The version is no part of a name: one object is served in several. */
export function untracked(recorded: readonly AppliedResource[], wanted: readonly AppliedResource[]): AppliedResource[] {
  const names = new Set(wanted.map(nameOf));
  return recorded.filter((resource) => !names.has(nameOf(resource)));
}

/** In OCM's order, so that an unchanged list is an equal list. */
export function sortedResources(resources: readonly AppliedResource[]): AppliedResource[] {
  const key = ({ group = '', version, resource, namespace = '', name }: AppliedResource) =>
    [group, version, resource, namespace, name].join('\0');
  return resources.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function nameOf({ group = '', resource, namespace = '', name }: AppliedResource): string {
  return [group, resource, namespace, name].join('\0');
}
