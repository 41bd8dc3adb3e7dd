import { type ClusterInventory, KERNEL_VERSIONS_CLAIM, type ManagedCluster } from '@kmm-hub/api-types';
import { parseKernelVersionsClaim, type RawKernelVersion } from '@kmm-hub/rules';

/** More kernels than any real cluster has; the rest is dropped so that one bad claim cannot flood the fleet. */
const MAX_KERNELS = 64;

/**
 * The kernels of one cluster, raw and sorted: its claim together with its inventory, since a claim holds only 1,024
 * characters (W24). What is no kernel version is dropped: both come from another cluster and are not to be trusted.
 */
export function kernelsOfCluster(
  cluster: ManagedCluster | undefined,
  inventory: ClusterInventory | undefined,
): RawKernelVersion[] {
  const claim = cluster?.status?.clusterClaims?.find(({ name }) => name === KERNEL_VERSIONS_CLAIM)?.value ?? '';
  const listed = [claim, ...(inventory?.spec?.kernelVersions ?? [])].join('\n');
  return parseKernelVersionsClaim(listed).kernels.slice(0, MAX_KERNELS);
}

/** GOARCH names of the nodes with this kernel, by the inventory. Upstream spokes report none: amd64 is assumed. */
export function architectureOf(inventory: ClusterInventory | undefined, kernel: string): string {
  return inventory?.spec?.groups.find((group) => group.kernelVersion === kernel)?.architecture ?? 'amd64';
}
