import type { Condition, ManagedClusterModule, ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { trimKernelVersion } from '@kmm-hub/rules';
import type { Demand, Recipe, Winner } from '../../fleet/demand.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { RecipePlan } from '../../fleet/recipe.ts';
import { type ImageState, type KernelImage, type Problem, problemFrom } from './plan.ts';

type Sources = { fleet: Pick<Fleet, 'images'>; demand: Demand };

/** By trimmed kernel. `excluded`: why some of the kernel's nodes cannot use the image that the kernel has. */
export type KernelStates = { images: Map<string, ImageState>; excluded: Map<string, Problem> };

/**
 * The state of every kernel's image on a selected cluster. Nodes of two architectures may run one kernel, but a kernel
 * mapping names one image: the architecture that the image is made for decides, and the other one is excluded.
 */
export function imageStates(deps: Sources, owner: ManagedClusterModule, cluster: string): KernelStates {
  const states: KernelStates = { images: new Map(), excluded: new Map() };
  if (owner.spec.moduleSpec?.moduleLoader === undefined) return states;
  for (const { kernel, plan } of deps.demand.plansFor(owner.metadata.name, cluster)) {
    const name = trimKernelVersion(kernel);
    const state = imageState(deps, owner, plan);
    const known = states.images.get(name);
    if (known !== undefined && isExcluded(state)) states.excluded.set(name, state);
    else states.images.set(name, state);
    if (known !== undefined && isExcluded(known)) states.excluded.set(name, known);
  }
  return states;
}

const ARCHITECTURE_CONFLICT = 'ArchitectureConflict';

function isExcluded(state: ImageState): state is ImageState & Problem {
  return state.phase === 'Blocked' && state.reason === ARCHITECTURE_CONFLICT;
}

function imageState({ fleet, demand }: Sources, owner: ManagedClusterModule, plan: RecipePlan): ImageState {
  if (plan.kind === 'Unmapped') return { phase: 'Unmapped' };
  if (plan.kind === 'Blocked') {
    return { phase: 'Blocked', ...problemFrom(plan.error) };
  }
  const winner = demand.conflictOf(plan);
  if (winner !== undefined) return { phase: 'Blocked', ...conflict(plan, owner, winner) };
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

function conflict({ spec }: Recipe, owner: ManagedClusterModule, winner: Winner): Problem {
  const own = winner.owner.metadata.name === owner.metadata.name;
  const { kernelVersion, architecture } = winner.recipe.spec;
  if (own && kernelVersion === spec.kernelVersion) {
    const message =
      `${spec.image} is made for the nodes on ${architecture}, and those on ${spec.architecture} cannot load it. ` +
      'Give each architecture a module of its own, with another image name and kubernetes.io/arch in moduleSpec.selector.';
    return { reason: ARCHITECTURE_CONFLICT, message };
  }
  const message =
    `${spec.image} is wanted with another recipe by ${own ? 'this module' : winner.owner.metadata.name}. ` +
    'Give each its own image name; one image for several kernels needs ${KERNEL_FULL_VERSION} in its name or tag.';
  return { reason: 'RecipeConflict', message };
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
