import { type Condition, explain, type ManagedClusterModule, type ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { trimKernelVersion } from '@kmm-hub/rules';
import type { Demand, Recipe } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { RecipePlan } from '../../fleet/recipe.ts';
import type { ImageState, KernelImage } from './plan.ts';

type Sources = { fleet: Pick<Fleet, 'images'>; demand: Demand };

/** The state of every kernel's image on a selected cluster, by trimmed kernel. */
export function imageStates(deps: Sources, owner: ManagedClusterModule, cluster: string): Map<string, ImageState> {
  const states = new Map<string, ImageState>();
  if (owner.spec.moduleSpec?.moduleLoader === undefined) return states;
  for (const { kernel, plan } of deps.demand.plansFor(owner.metadata.name, cluster)) {
    states.set(trimKernelVersion(kernel), imageState(deps, owner, plan));
  }
  return states;
}

function imageState({ fleet, demand }: Sources, owner: ManagedClusterModule, plan: RecipePlan): ImageState {
  if (plan.kind === 'Unmapped') return { phase: 'Unmapped' };
  if (plan.kind === 'Blocked') {
    return { phase: 'Blocked', reason: plan.error.code, message: explain(plan.error) };
  }
  const winner = demand.conflictOf(plan);
  if (winner !== undefined) {
    return recipeConflict(plan.spec.image, winner === owner.metadata.name ? 'this module' : winner);
  }
  return publishedState(fleet.images.get(plan.imageName), owner, plan);
}

/** What the ModuleImage says; as far as it says it of this recipe. */
function publishedState(image: ModuleImage | undefined, owner: ManagedClusterModule, plan: Recipe): ImageState {
  const { status } = image ?? {};
  if (image === undefined || status?.recipeKey !== plan.spec.recipeKey) return pending('it waits for a worker');
  if (status.phase === 'Published' && status.digest !== undefined) {
    return { phase: 'Published', image: kernelImage(owner, plan, status.digest) };
  }
  if (status.phase === 'Failed' || status.phase === 'Missing') return failedImage(image);
  return pending(readyOf(image)?.message ?? 'it waits for a worker');
}

function pending(progress: string): ImageState {
  return { phase: 'Pending', progress };
}

function readyOf(image: ModuleImage): Condition | undefined {
  return conditionOf(image.status?.conditions, 'Ready');
}

function failedImage(image: ModuleImage): ImageState {
  const ready = readyOf(image);
  return { phase: 'Blocked', reason: ready?.reason ?? 'ImageFailed', message: ready?.message ?? 'the image failed' };
}

function recipeConflict(image: string, winner: string): ImageState {
  const message =
    `${image} is wanted with another recipe by ${winner}. ` +
    'Give each its own image name; one image for several kernels needs ${KERNEL_FULL_VERSION} in its name or tag.';
  return { phase: 'Blocked', reason: 'RecipeConflict', message };
}

function kernelImage(owner: ManagedClusterModule, { resolved, spec }: Recipe, digest: string): KernelImage {
  const { inTreeModulesToRemove, registryTLS } = resolved;
  const byTag = owner.spec.imageReference === 'Tag';
  return {
    reference: byTag ? spec.image : `${repositoryOf(spec.image)}@${digest}`,
    tag: spec.image,
    ...(inTreeModulesToRemove && inTreeModulesToRemove.length > 0 && { inTreeModulesToRemove }),
    ...(registryTLS && { registryTLS }),
  };
}

/** `host:5000/a/b:tag` or `…@sha256:…` → `host:5000/a/b`. The colon of a port stands before the last slash. */
function repositoryOf(image: string): string {
  const [name = ''] = image.split('@', 1);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
