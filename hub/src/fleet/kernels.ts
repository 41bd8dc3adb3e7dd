import { type ClusterInventory, KERNEL_VERSIONS_CLAIM, type ManagedCluster } from '@kmm-hub/api-types';
import { parseKernelVersionsClaim, type RawKernelVersion } from '@kmm-hub/rules';

/** More kernels than any real cluster has; the rest is left out, and told, so that one bad claim cannot flood the fleet. */
const MAX_KERNELS = 64;
/** GOARCH names are short words. A cluster has one architecture, few have two. */
const ARCHITECTURE = /^[a-z0-9]{1,16}$/;
const MAX_ARCHITECTURES = 4;

/** What a cluster runs; both lists raw and sorted. */
export type ClusterKernels = {
  kernels: RawKernelVersion[];
  /** Over the limit: nothing is made for them. */
  left: RawKernelVersion[];
};

/**
 * The kernels of one cluster: its claim together with its inventory, since a claim holds only 1,024 characters (W24). What
 * is no kernel version is dropped: both come from another cluster and are not to be trusted.
 */
export function kernelsOfCluster(
  cluster: ManagedCluster | undefined,
  inventory: ClusterInventory | undefined,
): ClusterKernels {
  const claim = cluster?.status?.clusterClaims?.find(({ name }) => name === KERNEL_VERSIONS_CLAIM)?.value ?? '';
  const listed = [claim, ...(inventory?.spec?.kernelVersions ?? [])].join('\n');
  const { kernels } = parseKernelVersionsClaim(listed);
  return { kernels: kernels.slice(0, MAX_KERNELS), left: kernels.slice(MAX_KERNELS) };
}

/**
 * GOARCH names of the nodes with this kernel, by the inventory, sorted: some distributions name a kernel alike for every
 * architecture. Upstream spokes report none: amd64 is assumed.
 */
export function architecturesOf(inventory: ClusterInventory | undefined, kernel: string): string[] {
  const groups = inventory?.spec?.groups.filter((group) => group.kernelVersion === kernel) ?? [];
  const named = groups.map(({ architecture }) => architecture).filter((name) => ARCHITECTURE.test(name));
  const architectures = [...new Set(named)].sort().slice(0, MAX_ARCHITECTURES);
  return architectures.length === 0 ? ['amd64'] : architectures;
}
