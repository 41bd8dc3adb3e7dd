import type { AppliedManifestWork, ManifestWork } from '@kmm-hub/api-types';
import type { Cache, WorkQueue } from '@kmm-hub/kube';
import { appliedWorkName } from '../../hub-identity.ts';

/** Every change of one brings it; so does the coming and going of its work. */
export function watchAppliedWorkKeys(
  { applied, works }: { applied: Cache<AppliedManifestWork>; works: Cache<ManifestWork> },
  queue: WorkQueue,
  hubHash: string,
): void {
  applied.onChange(({ key }) => queue.add(key));
  works.onChange(({ old, current }) => {
    if (old !== undefined && current !== undefined) return;
    const name = (current ?? old)?.metadata.name;
    if (name !== undefined) queue.add(appliedWorkName(hubHash, name));
  });
}
