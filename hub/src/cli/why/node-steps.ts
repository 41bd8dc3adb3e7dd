import type { ClusterInventory, ManagedClusterModule, NodeGroup } from '@kmm-hub/api-types';
import { ok, type Step, waiting, wrong } from './step.ts';

/** What the inventory says of the module on nodes that look alike; nodes that are not to have it are left out. */
export function groupSteps(module: ManagedClusterModule, inventory: ClusterInventory): Step[] {
  const key = `${module.spec.spokeNamespace}/${module.metadata.name}`;
  return (inventory.spec?.groups ?? []).flatMap((group) => {
    const entries = (group.modules ?? []).filter(({ name }) => name === key);
    return entries.map((entry) => groupStep(group, entry));
  });
}

type Entry = NonNullable<NodeGroup['modules']>[number];

function groupStep(group: NodeGroup, { state, count }: Entry): Step {
  const object = { kind: 'Node', name: nameOf(group) };
  const share =
    group.count === count
      ? `kernel ${group.kernelVersion}`
      : `${count} of these ${group.count}, kernel ${group.kernelVersion}`;
  if (state === 'Loaded') return ok(object, `${share}: loaded`);
  if (state === 'Pending') {
    const remedy =
      'Wait; if nothing happens see that the node agent runs there (kubectl -n openshift-kmm get pods -o wide, on the cluster).';
    return waiting(object, `${share}: not loaded yet`, remedy);
  }
  const remedy = `On the cluster see \`kubectl describe nmc ${group.nodes[0] ?? 'NODE'}\`, or give --spoke-kubeconfig here: it has the words of the kernel or the registry, and what to do.`;
  return wrong(object, `${share}: ${state}`, remedy);
}

function nameOf({ nodes, count }: NodeGroup): string {
  const more = count - 1;
  return more > 0 ? `${nodes[0]} and ${more} more` : (nodes[0] ?? 'without a name');
}
