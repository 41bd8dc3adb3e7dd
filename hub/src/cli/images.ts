import type { HubError, ManagedClusterModule, ModuleImage } from '@kmm-hub/api-types';
import { conditionOf } from '@kmm-hub/kube';
import { parseKernelVersion, type RawKernelVersion, type ResolvedImage, resolveModuleImage } from '@kmm-hub/rules';
import type { ImageState } from '../controllers/cluster-work/plan.ts';
import { moduleImageName } from '../fleet/recipe.ts';

/** Which image a module wants for one kernel; `name` is that of the ModuleImage. */
export type KernelTarget =
  | { kind: 'Target'; image: string; name: string; resolved: ResolvedImage }
  | { kind: 'Unmapped' }
  | { kind: 'Wrong'; error: HubError };

/** By mapping and templates alone: no ConfigMap or Secret has to be read for it. */
export function targetOf({ metadata, spec }: ManagedClusterModule, kernel: RawKernelVersion): KernelTarget {
  const container = spec.moduleSpec?.moduleLoader?.container;
  if (container === undefined) return { kind: 'Unmapped' };
  const identity = { moduleName: metadata.name, moduleNamespace: spec.spokeNamespace };
  const resolved = resolveModuleImage({ container, kernel, ...identity });
  if (!resolved.ok) return { kind: 'Wrong', error: resolved.error };
  if (resolved.value === undefined) return { kind: 'Unmapped' };
  const { image } = resolved.value;
  return { kind: 'Target', image, name: moduleImageName(image), resolved: resolved.value };
}

/**
 * The images that a module wants, of those that are there. Judged by their kernels: one that another module of the same
 * target wants for a kernel of its own clusters counts here too.
 */
export function imagesOfModule(module: ManagedClusterModule, images: readonly ModuleImage[]): ModuleImage[] {
  return images.filter(({ spec }) => {
    const kernel = parseKernelVersion(spec.kernelVersion);
    if (!kernel.ok) return false;
    const target = targetOf(module, kernel.value);
    return target.kind === 'Target' && target.image === spec.image;
  });
}

/** How far an image is, as a person calls it. */
export type ImageWord = NonNullable<ModuleImage['status']>['phase'] | 'NotAsked' | 'Unmapped' | 'Wrong';

/** As far as the status is of the present recipe. */
export function phaseOf({ spec, status }: ModuleImage): NonNullable<ModuleImage['status']>['phase'] {
  return status?.recipeKey === spec.recipeKey ? status.phase : 'Pending';
}

export function readyOf(image: ModuleImage) {
  return conditionOf(image.status?.conditions, 'Ready');
}

/** What a cluster waits for because of one kernel's image, in the words of the hub's own plan. */
export function stateOf(
  target: KernelTarget,
  { image, blocked }: { image: ModuleImage | undefined; blocked: { reason: string; message: string } | undefined },
): ImageState {
  if (target.kind === 'Unmapped') return { phase: 'Unmapped' };
  if (target.kind === 'Wrong') return { phase: 'Blocked', reason: target.error.code, message: target.error.message };
  if (image === undefined) {
    return blocked === undefined
      ? { phase: 'Pending', progress: 'the hub has not asked for it yet' }
      : { phase: 'Blocked', ...blocked };
  }
  const phase = phaseOf(image);
  const { reason = phase, message = `the image is ${phase}` } = readyOf(image) ?? {};
  if (phase === 'Published') return { phase, image: { reference: target.image, tag: target.image } };
  if (phase === 'Failed' || phase === 'Missing') return { phase: 'Blocked', reason, message };
  return { phase: 'Pending', progress: message };
}
