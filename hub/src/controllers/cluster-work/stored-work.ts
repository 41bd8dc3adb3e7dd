import {
  IMAGE_TAGS_ANNOTATION,
  type KernelMapping,
  MANAGED_CLUSTER_MODULE_LABEL,
  type ManifestWork,
  type Module,
} from '@kmm-hub/api-types';
import { canonical } from '../../fleet/recipe.ts';
import type { KernelImage } from './plan.ts';

/** The literals of a stored work. A work of an upstream hub reads the same way; its mappings may be empty (W1). */
export function literalsOf(work: ManifestWork): Map<string, KernelImage> {
  const [manifest] = work.spec.workload?.manifests ?? [];
  const mappings = (manifest as Module | undefined)?.spec?.moduleLoader?.container.kernelMappings ?? [];
  const tags = tagsOf(work);
  const entries = mappings.flatMap(({ literal, containerImage, inTreeModulesToRemove, registryTLS }: KernelMapping) => {
    if (!literal || !containerImage) return [];
    const image: KernelImage = {
      reference: containerImage,
      tag: tags[literal] ?? containerImage,
      ...(inTreeModulesToRemove && { inTreeModulesToRemove }),
      ...(registryTLS && { registryTLS }),
    };
    return [[literal, image] as const];
  });
  return new Map(entries);
}

function tagsOf(work: ManifestWork): Record<string, string> {
  try {
    return JSON.parse(work.metadata.annotations?.[IMAGE_TAGS_ANNOTATION] ?? '{}') as Record<string, string>;
  } catch {
    return {}; // a person edited it: the reference itself stands in for the tag, and the next write mends it
  }
}

/** Compares what we mean, not how it is stored: the API server adds defaults (`feedbackScrapeType`, `propagationPolicy`). */
export function sameWork(wanted: ManifestWork, work: ManifestWork): boolean {
  return (
    isContained(wanted.spec, work.spec) &&
    sameManifests(wanted, work) &&
    isContained(wanted.metadata.labels, work.metadata.labels) &&
    // a work whose owner was restored under another uid would be collected, and the module unloaded everywhere
    isContained(wanted.metadata.ownerReferences, work.metadata.ownerReferences) &&
    work.metadata.annotations?.[IMAGE_TAGS_ANNOTATION] === wanted.metadata.annotations?.[IMAGE_TAGS_ANNOTATION]
  );
}

/** Manifests are opaque to the API server, so they are stored as sent: a field too many is a difference. */
function sameManifests(wanted: ManifestWork, work: ManifestWork): boolean {
  return canonical(wanted.spec.workload?.manifests) === canonical(work.spec.workload?.manifests);
}

function isContained(wanted: unknown, live: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) && wanted.length === live.length && wanted.every((part, i) => isContained(part, live[i]))
    );
  }
  if (wanted === null || typeof wanted !== 'object') return wanted === live;
  if (live === null || typeof live !== 'object') return false;
  return Object.entries(wanted).every(([key, part]) => isContained(part, (live as Record<string, unknown>)[key]));
}

/** Whether a work belongs to a module of ours. */
export function moduleOfWork(work: ManifestWork): string | undefined {
  return work.metadata.labels?.[MANAGED_CLUSTER_MODULE_LABEL];
}
