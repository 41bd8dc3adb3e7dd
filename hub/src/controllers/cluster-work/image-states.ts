import { explain, type ManagedClusterModule, type ModuleImage } from '@kmm-hub/api-types';
import { trimKernelVersion } from '@kmm-hub/rules';
import type { Demand } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { RecipePlan } from '../../fleet/recipe.ts';
import type { ImageState, KernelImage } from './plan.ts';

type Sources = { fleet: Fleet; demand: Demand };

/** The state of every kernel's image, by trimmed kernel. */
export function imageStates(deps: Sources, owner: ManagedClusterModule, cluster: string): Map<string, ImageState> {
  const states = new Map<string, ImageState>();
  if (owner.spec.moduleSpec?.moduleLoader === undefined) return states;
  for (const kernel of deps.fleet.kernelsOf(cluster)) {
    const recipe = deps.fleet.recipeOf(owner, cluster, kernel);
    states.set(trimKernelVersion(kernel), imageState(deps, owner, recipe));
  }
  return states;
}

function imageState({ fleet, demand }: Sources, owner: ManagedClusterModule, plan: RecipePlan): ImageState {
  if (plan.kind === 'Unmapped') return { phase: 'Unmapped' };
  if (plan.kind === 'Blocked') {
    return { phase: 'Blocked', reason: plan.error.code, message: explain(plan.error) };
  }
  const winner = demand.conflictOf(owner.metadata.name, plan);
  if (winner !== undefined)
    return recipeConflict(plan.spec.image, winner === owner.metadata.name ? 'this module' : winner);
  const image = fleet.images.get(plan.imageName);
  const { status } = image ?? {};
  if (status?.recipeKey !== plan.spec.recipeKey) return { phase: 'Pending' };
  if (status.phase === 'Published' && status.digest !== undefined) {
    return { phase: 'Published', image: kernelImage(owner, plan, status.digest) };
  }
  return status.phase === 'Failed' || status.phase === 'Missing'
    ? failedImage(image as ModuleImage)
    : { phase: 'Pending' };
}

function failedImage(image: ModuleImage): ImageState {
  const ready = image.status?.conditions?.find(({ type }) => type === 'Ready');
  return { phase: 'Blocked', reason: ready?.reason ?? 'ImageFailed', message: ready?.message ?? 'the image failed' };
}

function recipeConflict(image: string, winner: string): ImageState {
  const message =
    `${image} is wanted with another recipe by ${winner}. ` +
    'Give each its own image name; one image for several kernels needs ${KERNEL_FULL_VERSION} in its name or tag.';
  return { phase: 'Blocked', reason: 'RecipeConflict', message };
}

function kernelImage(
  owner: ManagedClusterModule,
  { resolved, spec }: Extract<RecipePlan, { kind: 'Recipe' }>,
  digest: string,
): KernelImage {
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
