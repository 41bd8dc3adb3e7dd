import { Controller } from '@kmm-hub/kube';
import type { Runtime } from '../../runtime.ts';
import type { KernelClaimDeps } from './deps.ts';
import { reconcileKernelClaim } from './reconcile.ts';

const KEY = 'claim';

/** One key. A Node counts when it comes, goes or says another kernel; the claim when anybody changes it. */
export function kernelClaimController(deps: KernelClaimDeps, { metrics }: Runtime): Controller {
  const { nodes, claims, log } = deps;
  const reconcile = (_key: string, signal: AbortSignal) => reconcileKernelClaim(deps, signal);
  const controller = new Controller({ name: 'kernel-claim', reconcile, log, metrics, concurrency: 1 });
  nodes.onChange(({ old, current }) => {
    const [before, after] = [old, current].map((node) => node?.status?.nodeInfo?.kernelVersion);
    if (before !== after) controller.queue.add(KEY);
  });
  claims.onChange(() => controller.queue.add(KEY));
  controller.queue.add(KEY); // a cluster without nodes has no event, and may still have a claim
  return controller;
}
