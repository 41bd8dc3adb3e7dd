import type { ClusterPlan } from '../world/world.ts';

/**
 * Two spokes and three nodes on two kernels. Releases of Debian's 6.12 kernels hold a `+`, which no tag may: on purpose, so
 * that names are made right.
 */
export const FLEET: readonly ClusterPlan[] = [
  {
    name: 'spoke-a',
    nodes: [
      { name: 'node-a1', series: '6.1', secureBoot: false, cpus: 2 },
      { name: 'node-a2', series: '6.12', secureBoot: false, cpus: 2 },
    ],
  },
  { name: 'spoke-b', nodes: [{ name: 'node-b1', series: '6.1', secureBoot: true, cpus: 1 }] },
];

/** The node that changes its kernel while the module is loaded, and to which. */
export const REBOOT = { node: 'node-a1', series: '6.12' } as const;
