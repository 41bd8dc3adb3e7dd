import type { Condition, FeedbackValue, ManagedClusterModule, ManifestWork } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { trimKernelVersion } from '@kmm-hub/rules';
import { literalsOf, moduleOfWork } from '../../controllers/cluster-work/stored-work.ts';
import { clusterState } from '../../controllers/module-status/cluster-state.ts';
import { VIEWER_REMEDY } from '../errors.ts';
import { phaseOf } from '../images.ts';
import { foundIn } from '../readings.ts';
import type { WantedKernel } from './image-steps.ts';
import type { Snapshot } from './snapshot.ts';
import { ok, type Step, type StepObject, unknown, waiting, wrong } from './step.ts';

const AGENT_REMEDY =
  'See that the work agent runs (kubectl -n open-cluster-management-agent get pods, on the cluster) and reaches the hub.';

function workObject({ cluster, module }: Snapshot): StepObject {
  return { kind: 'ManifestWork', namespace: cluster, name: module };
}

/** What the hub wrote for the cluster. */
export function workStep(wanted: readonly WantedKernel[], snapshot: Snapshot): Step {
  const object = workObject(snapshot);
  const { work: reading, module, namespace } = snapshot;
  if (reading.kind === 'forbidden') return unknown(object, reading.right, VIEWER_REMEDY);
  const published = wanted.flatMap((kernel) => digestOf(kernel, snapshot) ?? []);
  if (reading.kind === 'absent') {
    const hub = `See what the hub logs: kubectl -n ${namespace} get pods.`;
    if (published.length > 0 || !loadsModule(snapshot)) return waiting(object, 'the hub has not written it yet', hub);
    return waiting(object, 'it is written once an image of the cluster is published', 'Look at the images above.');
  }
  const work = reading.value;
  if (moduleOfWork(work) !== module) {
    return wrong(
      object,
      'it is not ours: somebody else has a work of this name',
      'Delete or rename the other work, or give the module another name.',
    );
  }
  if (work.metadata.deletionTimestamp !== undefined) {
    return waiting(
      object,
      `it is being deleted since ${work.metadata.deletionTimestamp}: the cluster is to unload the module`,
      AGENT_REMEDY,
    );
  }
  const literals = literalsOf(work);
  const behind = published.filter(({ kernel, digest }) => !literals.get(kernel)?.reference.endsWith(digest));
  const byTag = foundIn(snapshot.managedClusterModule)?.spec.imageReference === 'Tag';
  if (behind.length > 0 && !byTag) {
    const kernels = behind.map(({ kernel }) => kernel).join(', ');
    return waiting(
      object,
      `it does not name the published image of ${kernels} yet`,
      `See what the hub logs: kubectl -n ${namespace} get pods.`,
    );
  }
  return ok(object, `it names images for ${[...literals.keys()].join(', ') || 'no kernel'}`);
}

function loadsModule({ managedClusterModule }: Snapshot): boolean {
  return foundIn(managedClusterModule)?.spec.moduleSpec?.moduleLoader !== undefined;
}

function digestOf(
  { kernel, target }: WantedKernel,
  { images }: Snapshot,
): { kernel: string; digest: string } | undefined {
  const image = target.kind === 'Target' ? foundIn(images.get(target.name) ?? { kind: 'absent' }) : undefined;
  const digest = image !== undefined && phaseOf(image) === 'Published' ? image.status?.digest : undefined;
  return digest === undefined ? undefined : { kernel: trimKernelVersion(kernel), digest };
}

/** What the cluster's work agent made of it. */
export function workStatusStep(work: ManifestWork, snapshot: Snapshot): Step {
  const object = workObject(snapshot);
  const { generation = 0 } = work.metadata;
  const condition = (type: string) => conditionOf(work.status?.conditions, type);
  const [applied, available] = [condition('Applied'), condition('Available')];
  if (applied?.status === 'False') {
    const refused = conditionOf(work.status?.resourceStatus?.manifests?.[0]?.conditions, 'Applied') ?? applied;
    const remedy = 'Correct what the message names: it is the API server of the cluster that refuses the Module.';
    return wrong(object, `the cluster does not take it: ${refused.message}`, remedy);
  }
  if (applied === undefined || isOlder(applied, generation)) {
    return waiting(object, `the cluster has not taken generation ${generation} over yet`, AGENT_REMEDY);
  }
  if (available !== undefined && available.status !== 'True') {
    return wrong(object, `applied, but the Module is not there: ${available.message}`, AGENT_REMEDY);
  }
  return ok(object, 'applied on the cluster');
}

function isOlder({ observedGeneration }: Condition, generation: number): boolean {
  return observedGeneration !== generation;
}

/** What the cluster feeds back of the Module. */
export function feedbackStep(module: ManagedClusterModule, work: ManifestWork, { spoke }: Snapshot): Step {
  const { spokeNamespace, moduleSpec } = module.spec;
  const object = { kind: 'Module', namespace: spokeNamespace, name: module.metadata.name };
  const values: FeedbackValue[] = work.status?.resourceStatus?.manifests?.[0]?.statusFeedback?.values ?? [];
  const number = (name: string) => values.find((value) => value.name === name)?.fieldValue.integer;
  const agent = 'See that the cluster agent runs: kubectl -n openshift-kmm get pods, on the cluster.';
  if (values.length === 0) return waiting(object, 'the cluster has not reported on the Module yet', agent);
  const { state, reason, message, nodesDesired } = clusterState({ reachable: true, work });
  if (reason === 'WorkApplying') {
    return waiting(object, `the cluster agent has not acted on generation ${number('generation')} yet`, agent);
  }
  const nodes =
    spoke === undefined
      ? 'On the cluster see the NodeModulesConfig of the node (kubectl describe nmc NODE), or give --spoke-kubeconfig here.'
      : 'See the NodeModulesConfigs of the nodes in the table.';
  if (state === 'Degraded') return wrong(object, `${reason}: ${message}`, nodes);
  if (state === 'Progressing') return waiting(object, message, nodes);
  if (nodesDesired > 0) return ok(object, message);
  const selector = JSON.stringify(moduleSpec?.selector ?? {});
  if (moduleSpec?.moduleLoader === undefined) return ok(object, 'it has no module to load');
  return number('moduleLoader.nodesMatchingSelectorNumber') === 0
    ? waiting(
        object,
        `no node of the cluster matches moduleSpec.selector ${selector}`,
        'Label the nodes, or change the selector.',
      )
    : waiting(
        object,
        `nodes match moduleSpec.selector ${selector}, but none of them is to have the module`,
        'See whether the nodes have taints that the module does not tolerate, and kernels that a mapping covers.',
      );
}
