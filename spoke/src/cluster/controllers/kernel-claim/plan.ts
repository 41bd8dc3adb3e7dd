import { formatKernelVersionsClaim } from '@kmm-hub/rules';

export type KernelClaimPlan = {
  action: 'none' | 'create' | 'update' | 'delete';
  /** Kernels one a line; undefined when no node has said its kernel. */
  value: string | undefined;
  /** Kernels that do not fit or are none; the ClusterInventory carries those that do not fit. */
  left: string[];
};

/** The claim of this cluster's kernels. `current` is its value; undefined when there is no claim. */
export function planKernelClaim(kernels: Iterable<string>, current: string | undefined): KernelClaimPlan {
  const { value, omitted, invalid } = formatKernelVersionsClaim(kernels);
  const left = [...omitted, ...invalid];
  if (value === current) return { action: 'none', value, left };
  if (value === undefined) return { action: 'delete', value, left };
  return { action: current === undefined ? 'create' : 'update', value, left };
}
