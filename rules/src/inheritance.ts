import type { Build, KernelMapping, ModuleLoaderContainer, Sign } from '@kmm-hub/api-types';
import { mergeBuildArgs } from './build-args.ts';

/** What a container and its chosen mapping say together, before templates are filled in. */
export type InheritedMapping = {
  /** Template; `undefined` when neither names an image. */
  containerImage: string | undefined;
  build: Build | undefined;
  sign: Sign | undefined;
  registryTLS: KernelMapping['registryTLS'];
  inTreeModulesToRemove: string[];
};

/**
 * Puts the chosen mapping over the container's own fields (KMM v2.6 §3.3). Empty strings and nulls count as absent, as
 * upstream's stored objects hold both. TLS options are taken whole, never field by field.
 *
 * One difference (W29): where both sides have a build or a sign, upstream ignores the mapping's `baseImageRegistryTLS`,
 * `kanikoParams`, `selector` and `unsignedImageRegistryTLS` without a word; here the mapping wins.
 */
export function inheritMapping(container: ModuleLoaderContainer, mapping: KernelMapping): InheritedMapping {
  const singleInTree = mapping.inTreeModuleToRemove || container.inTreeModuleToRemove;
  return {
    containerImage: mapping.containerImage || container.containerImage || undefined,
    build: inheritBuild(container.build, mapping.build),
    sign: inheritSign(container.sign, mapping.sign),
    registryTLS: mapping.registryTLS ?? container.registryTLS ?? undefined,
    inTreeModulesToRemove: singleInTree
      ? [singleInTree]
      : [...(mapping.inTreeModulesToRemove ?? container.inTreeModulesToRemove ?? [])],
  };
}

function inheritBuild(base: Build | undefined, over: Build | undefined): Build | undefined {
  if (!base || !over) return over ?? base ?? undefined;
  return {
    ...base,
    ...withoutAbsent(over),
    dockerfileConfigMap: over.dockerfileConfigMap?.name ? over.dockerfileConfigMap : base.dockerfileConfigMap,
    buildArgs: mergeBuildArgs(base.buildArgs ?? [], over.buildArgs ?? []),
    secrets: [...(base.secrets ?? []), ...(over.secrets ?? [])],
  };
}

function inheritSign(base: Sign | undefined, over: Sign | undefined): Sign | undefined {
  if (!base || !over) return over ?? base ?? undefined;
  return {
    ...base,
    ...withoutAbsent(over),
    keySecret: over.keySecret?.name ? over.keySecret : base.keySecret,
    certSecret: over.certSecret?.name ? over.certSecret : base.certSecret,
    filesToSign: [...(base.filesToSign ?? []), ...(over.filesToSign ?? [])],
  };
}

function withoutAbsent<T extends object>(fields: T): Partial<T> {
  const present = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return Object.fromEntries(present) as Partial<T>;
}
