import type { ManagedCluster, ManagedClusterModule } from '@kmm-hub/api-types';
import { foundIn } from '../readings.ts';
import { clusterStep, moduleStep, selectionSteps } from './cluster-steps.ts';
import { imageSteps, inventoryStep, mappingSteps, wantedKernels } from './image-steps.ts';
import { groupSteps } from './node-steps.ts';
import type { Snapshot } from './snapshot.ts';
import { spokeSteps } from './spoke-steps.ts';
import type { Step } from './step.ts';
import { feedbackStep, workStatusStep, workStep } from './work-steps.ts';

/**
 * The way of a module to the nodes of one cluster, object by object, in the order in which one follows from the other:
 * the module, the cluster, the selection, its kernels, their mapping, the images, the work, what the cluster made of it,
 * the Module that it feeds back, the nodes. Ends where nothing more can follow. Pure.
 */
export function planExplanation(snapshot: Snapshot): Step[] {
  const steps = [moduleStep(snapshot)];
  const module = foundIn(snapshot.managedClusterModule);
  if (module === undefined) return steps;
  if (module.metadata.deletionTimestamp !== undefined) return [...steps, ...leftOver(module, snapshot)];
  steps.push(clusterStep(snapshot));
  const cluster = foundIn(snapshot.managedCluster);
  if (snapshot.managedCluster.kind === 'absent' || isOutside(cluster)) return [...steps, ...leftOver(module, snapshot)];
  if (cluster !== undefined) {
    const selection = selectionSteps(module, cluster, snapshot);
    steps.push(...selection);
    if (selection.some(({ state }) => state === 'wrong')) return [...steps, ...leftOver(module, snapshot)];
  }
  const wanted = wantedKernels(module, snapshot);
  steps.push(inventoryStep(snapshot), ...mappingSteps(module, wanted), ...imageSteps(module, wanted, snapshot));
  steps.push(workStep(wanted, snapshot));
  return [...steps, ...onCluster(module, snapshot)];
}

/** No module selects such a cluster, whatever its selectors say. */
function isOutside(cluster: ManagedCluster | undefined): boolean {
  if (cluster === undefined) return false;
  return cluster.metadata.deletionTimestamp !== undefined || !cluster.spec?.hubAcceptsClient;
}

/** A cluster that is not, or no longer, meant may still have the module. */
function leftOver(module: ManagedClusterModule, snapshot: Snapshot): Step[] {
  return foundIn(snapshot.work) === undefined ? [] : [workStep([], snapshot), ...onCluster(module, snapshot)];
}

function onCluster(module: ManagedClusterModule, snapshot: Snapshot): Step[] {
  const work = foundIn(snapshot.work);
  if (work === undefined) return [];
  const steps = [workStatusStep(work, snapshot), feedbackStep(module, work, snapshot)];
  if (snapshot.spoke !== undefined) return [...steps, ...spokeSteps(module, snapshot.spoke)];
  const inventory = foundIn(snapshot.inventory);
  return inventory === undefined ? steps : [...steps, ...groupSteps(module, inventory)];
}
