import { HubError, type ManagedClusterModule, type ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import type { RawKernelVersion } from '@kmm-hub/rules';
import { CONFIG_MAP } from '../../fleet/fleet.ts';
import { architecturesOf, kernelsOfCluster } from '../../fleet/kernels.ts';
import { planRecipe, type RecipePlan } from '../../fleet/recipe.ts';
import { parseHubConfig } from '../../hub-config.ts';
import { VIEWER_REMEDY } from '../errors.ts';
import { type KernelTarget, phaseOf, readyOf, targetOf } from '../images.ts';
import { foundIn } from '../readings.ts';
import { moduleObject } from './cluster-steps.ts';
import type { Snapshot } from './snapshot.ts';
import { ok, type Step, unknown, waiting, wrong } from './step.ts';

/** What the cluster says its nodes run. */
export function inventoryStep(snapshot: Snapshot): Step {
  const { cluster, inventory } = snapshot;
  const object = { kind: 'ClusterInventory', namespace: cluster, name: cluster };
  const { kernels, left } = kernelsOf(snapshot);
  if (kernels.length === 0) {
    if (inventory.kind === 'forbidden') return unknown(object, inventory.right, VIEWER_REMEDY);
    const remedy =
      'See that the cluster agent runs (kubectl -n openshift-kmm get pods, on the cluster) and reaches the hub; it reports them.';
    return waiting(object, 'neither the claim of the ManagedCluster nor the inventory lists a kernel', remedy);
  }
  const list = kernels.length === 1 ? `kernel ${kernels[0]}` : `kernels ${kernels.join(', ')}`;
  if (left.length > 0) {
    return wrong(
      object,
      `${list}; too many, ${left.join(', ')} are left out`,
      'See why the nodes of one cluster run that many kernels.',
    );
  }
  const nodes = foundIn(inventory)?.spec?.nodeCount;
  return ok(
    object,
    nodes === undefined ? `${list}, by the claim alone` : `${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${list}`,
  );
}

export function kernelsOf({ managedCluster, inventory }: Snapshot) {
  return kernelsOfCluster(foundIn(managedCluster), foundIn(inventory));
}

export type WantedKernel = { kernel: RawKernelVersion; target: KernelTarget };

export function wantedKernels(module: ManagedClusterModule, snapshot: Snapshot): WantedKernel[] {
  if (module.spec.moduleSpec?.moduleLoader === undefined) return [];
  return kernelsOf(snapshot).kernels.map((kernel) => ({ kernel, target: targetOf(module, kernel) }));
}

/** For each kernel, which image the module wants. */
export function mappingSteps(module: ManagedClusterModule, wanted: readonly WantedKernel[]): Step[] {
  const object = moduleObject(module.metadata.name);
  const isMapped = wanted.some(({ target }) => target.kind === 'Target');
  return wanted.map(({ kernel, target }) => {
    if (target.kind === 'Target') return ok(object, `kernel ${kernel} wants ${target.image}`);
    if (target.kind === 'Wrong') return wrong(object, `kernel ${kernel}: ${target.error.message}`, target.error.remedy);
    const message = `no kernel mapping matches ${kernel}`;
    if (isMapped) return ok(object, `${message}, so nodes with it get nothing`);
    return wrong(object, message, 'Add a mapping to spec.moduleSpec.moduleLoader.container.kernelMappings.');
  });
}

/** How far each image is that the cluster needs. */
export function imageSteps(module: ManagedClusterModule, wanted: readonly WantedKernel[], snapshot: Snapshot): Step[] {
  const first = new Map(
    wanted
      .flatMap(({ kernel, target }) => (target.kind === 'Target' ? [[target.name, kernel] as const] : []))
      .reverse(),
  );
  return [...first].reverse().map(([name, kernel]) => {
    const object = { kind: 'ModuleImage', name };
    const reading = snapshot.images.get(name) ?? { kind: 'absent' };
    if (reading.kind === 'forbidden') return unknown(object, reading.right, VIEWER_REMEDY);
    const plan = recipeOf(module, kernel, snapshot);
    if (plan instanceof HubError) return wrong(object, plan.message, plan.remedy);
    if (reading.kind === 'absent') return missingImage(name, snapshot);
    const conflict = hubSays(snapshot);
    if (plan !== undefined && plan !== reading.value.spec.recipeKey && conflict?.reason === 'RecipeConflict') {
      return wrong(object, conflict.message, 'Give each module an image name of its own.');
    }
    return imageStep(reading.value);
  });
}

/** What is wrong in the hub's configuration, its own log tells. */
const SILENT = { warn: () => undefined, info: () => undefined };

/** The key of the recipe, or what keeps it from being made; undefined when what it is made of may not be read. */
function recipeOf(
  module: ManagedClusterModule,
  kernel: RawKernelVersion,
  { inventory, configMaps }: Snapshot,
): string | HubError | undefined {
  if ([...configMaps.values()].some(({ kind }) => kind === 'forbidden')) return undefined;
  const configMap = (name: string) => foundIn(configMaps.get(name) ?? { kind: 'absent' });
  const text = configMap(CONFIG_MAP)?.data?.['controller_config.yaml'];
  const { toolkitCatalogue: catalogue } = parseHubConfig(text, SILENT);
  const plans = architecturesOf(foundIn(inventory), kernel).map(
    (architecture): RecipePlan => planRecipe({ module, kernel, architecture, configMap, catalogue }),
  );
  const blocked = plans.find((plan) => plan.kind === 'Blocked');
  if (blocked !== undefined) return blocked.error;
  const [plan] = plans;
  return plan?.kind === 'Recipe' ? plan.spec.recipeKey : undefined;
}

/** Nobody asked for it. Why, the hub knows, and says of this cluster or of another one with the same trouble. */
function missingImage(name: string, snapshot: Snapshot): Step {
  const object = { kind: 'ModuleImage', name };
  const said = hubSays(snapshot);
  if (said !== undefined)
    return wrong(
      object,
      `the hub has not asked for it: ${said.reason}: ${said.message}`,
      'Mend what the hub names; it heals by itself then.',
    );
  const remedy = `See that the hub runs and what it logs: kubectl -n ${snapshot.namespace} get pods.`;
  return waiting(object, 'the hub has not asked for it yet', remedy);
}

function hubSays({ managedClusterModule, cluster }: Snapshot): { reason: string; message: string } | undefined {
  const { status } = foundIn(managedClusterModule) ?? {};
  const named = status?.worstClusters?.find(({ name }) => name === cluster);
  if (named !== undefined && named.reason !== 'ImagesPending') return named;
  const degraded = conditionOf(status?.conditions, 'Degraded');
  return degraded?.status === 'True' ? degraded : undefined;
}

function imageStep(image: ModuleImage): Step {
  const { name } = image.metadata;
  const object = { kind: 'ModuleImage', name };
  const phase = phaseOf(image);
  const { reason = phase, message = 'it waits for a worker' } = readyOf(image) ?? {};
  if (phase === 'Published') return ok(object, `published as ${image.status?.digest}`);
  if (phase === 'Failed' || phase === 'Missing') {
    const next = image.status?.nextAttempt;
    const again = `it is tried again ${next === undefined ? '' : `at ${next}, and `}at once when an input changes`;
    const remedy = `Mend what the message names; ${again}. \`kubectl kmm logs ${name}\` shows what the worker did.`;
    return wrong(object, `${reason}: ${message}`, remedy);
  }
  const remedy =
    phase === 'Pending'
      ? 'Wait; if nothing happens see that workers run and that Redis can be reached (/readyz of hub and workers).'
      : `Wait; \`kubectl kmm logs ${name} --follow\` shows the build.`;
  return waiting(object, message, remedy);
}
