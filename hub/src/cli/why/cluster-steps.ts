import type { ManagedCluster, ManagedClusterModule, ManagedClusterModuleSpec } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { matchesLabelSelector, matchesLabels } from '@kmm-hub/rules';
import { clusterProblem, judgeCluster } from '../../fleet/selection.ts';
import { VIEWER_REMEDY } from '../errors.ts';
import { foundIn } from '../readings.ts';
import type { Snapshot } from './snapshot.ts';
import { ok, type Step, type StepObject, unknown, waiting, wrong } from './step.ts';

/** The module: is it there, and has the hub seen it? */
export function moduleStep({ module, namespace, managedClusterModule: reading }: Snapshot): Step {
  const object = moduleObject(module);
  if (reading.kind === 'forbidden') return unknown(object, reading.right, VIEWER_REMEDY);
  if (reading.kind === 'absent') {
    return wrong(object, 'it does not exist', 'See the names with `kubectl kmm status`, or apply it.');
  }
  const { metadata, status } = reading.value;
  const { generation = 0, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) {
    const { message = 'it is being deleted' } = conditionOf(status?.conditions, 'Available') ?? {};
    const remedy = `See with \`kubectl kmm status ${module}\` which clusters still have it; after spec.removalGraceSeconds it goes all the same.`;
    return waiting(object, `it is being deleted since ${deletionTimestamp}: ${message}`, remedy);
  }
  if (status?.observedGeneration !== generation) {
    const remedy = `See that the hub runs and what it logs: kubectl -n ${namespace} get pods, and its lease kmm-hub.sigs.x-k8s.io there.`;
    return waiting(object, `the hub has not acted on generation ${generation} yet`, remedy);
  }
  return ok(object, `the hub has seen generation ${generation}`);
}

export function moduleObject(name: string): StepObject {
  return { kind: 'ManagedClusterModule', name };
}

/** The cluster: does the hub know it, and hear of it? */
export function clusterStep({ cluster, managedCluster: reading }: Snapshot): Step {
  const object = { kind: 'ManagedCluster', name: cluster };
  if (reading.kind === 'forbidden') return unknown(object, reading.right, VIEWER_REMEDY);
  if (reading.kind === 'absent') {
    const remedy =
      'See the names with `kubectl get managedclusters`, or join the cluster to the hub (clusteradm join).';
    return wrong(object, 'no cluster of this name has joined the hub', remedy);
  }
  const { metadata, spec, status } = reading.value;
  if (metadata.deletionTimestamp !== undefined) {
    return wrong(
      object,
      `it is leaving the hub since ${metadata.deletionTimestamp}`,
      'Wait until it is gone, and join it again if that was not meant.',
    );
  }
  if (!spec?.hubAcceptsClient) {
    return wrong(
      object,
      'the hub has not accepted it',
      `Accept it: clusteradm accept --clusters ${cluster}, which sets spec.hubAcceptsClient.`,
    );
  }
  const available = conditionOf(status?.conditions, 'ManagedClusterConditionAvailable');
  if (available !== undefined && available.status !== 'True') {
    const remedy =
      'See that the cluster runs, that its agents (namespace open-cluster-management-agent there) do, and that they reach the hub.';
    return wrong(
      object,
      `the hub has not heard of it since ${available.lastTransitionTime}, what it has loaded stays: ${available.message}`,
      remedy,
    );
  }
  return ok(object, available === undefined ? 'accepted' : 'accepted, and the hub hears of it');
}

/** Whether the module wants the cluster, and what keeps it away although it does. */
export function selectionSteps(module: ManagedClusterModule, cluster: ManagedCluster, snapshot: Snapshot): Step[] {
  const selection = selectionStep(module, cluster, snapshot);
  const problem = selection.state === 'ok' ? clusterProblem(module.spec, cluster) : undefined;
  if (problem === undefined) return [selection];
  return [selection, wrong({ kind: 'ManagedCluster', name: snapshot.cluster }, problem.message, problem.remedy)];
}

/** By which of its selectors the module wants the cluster. */
function selectionStep(module: ManagedClusterModule, cluster: ManagedCluster, snapshot: Snapshot): Step {
  const object = moduleObject(snapshot.module);
  const { spec } = module;
  const inventory = foundIn(snapshot.inventory);
  const selection = judgeCluster(spec, cluster, inventory);
  if (selection === 'selected') return ok(object, `it selects the cluster by ${selectorsOf(spec).join(' and ')}`);
  if (selection === 'deselected') {
    const { message, remedy } = mismatchOf(spec, cluster);
    return wrong(object, `it does not select the cluster: ${message}`, remedy);
  }
  if (snapshot.inventory.kind === 'forbidden') return unknown(object, snapshot.inventory.right, VIEWER_REMEDY);
  if (spec.featureSelector !== undefined && inventory === undefined) {
    const remedy =
      'See that the cluster agent (namespace openshift-kmm there) runs and reaches the hub; upstream’s reports no features.';
    return waiting(object, 'spec.featureSelector cannot be judged: the cluster has no ClusterInventory', remedy);
  }
  return waiting(
    object,
    'spec.placementRefs are not evaluated yet, so nothing new is delivered',
    'Select by clusterSelector or featureSelector instead.',
  );
}

const SELECTORS = ['selector', 'clusterSelector', 'featureSelector', 'placementRefs'] as const;

function selectorsOf(spec: ManagedClusterModuleSpec): string[] {
  return SELECTORS.filter((name) => spec[name] !== undefined).map((name) => `spec.${name}`);
}

/** Which selector keeps the cluster out, and what to change. */
function mismatchOf(spec: ManagedClusterModuleSpec, { metadata }: ManagedCluster): { message: string; remedy: string } {
  const { name, labels = {} } = metadata;
  const { selector = {}, clusterSelector, featureSelector } = spec;
  const remedy = `Label the ManagedCluster (kubectl label managedcluster ${name} …), or change the selector of the module.`;
  if (!matchesLabels(selector, labels)) return { message: missingLabels(selector, labels), remedy };
  if (clusterSelector !== undefined && !matchesLabelSelector(clusterSelector, labels)) {
    const wanted = JSON.stringify(clusterSelector);
    return { message: `spec.clusterSelector ${wanted} does not match the labels of the ManagedCluster`, remedy };
  }
  if (featureSelector === undefined)
    return { message: 'it has no selector', remedy: 'Give it a selector; {} selects all clusters.' };
  const message = `no group of its nodes has the features of spec.featureSelector ${JSON.stringify(featureSelector)}`;
  return {
    message,
    remedy: `See which features there are: kubectl -n ${name} get cinv ${name} -o yaml; or change the selector.`,
  };
}

function missingLabels(selector: Record<string, string>, labels: Record<string, string>): string {
  const missing = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  const wanted = missing.map(([key, value]) => `${key}=${value}`).join(', ');
  const has = missing.flatMap(([key]) => (labels[key] === undefined ? [] : `${key}=${labels[key]}`)).join(', ');
  return `spec.selector wants the label ${wanted}, and the ManagedCluster has ${has || 'none of that name'}`;
}
