import { createHash } from 'node:crypto';
import {
  type ConfigMap,
  HubError,
  type LocalObjectReference,
  type ManagedClusterModule,
  type ModuleImageSpec,
} from '@kmm-hub/api-types';
import {
  automaticBuildArgs,
  declaredBuildArgs,
  findToolkitImage,
  mergeBuildArgs,
  type RawKernelVersion,
  type ResolvedImage,
  resolveModuleImage,
  type ToolkitCatalogueEntry,
  usesToolkit,
} from '@kmm-hub/rules';

export type RecipeInput = {
  module: ManagedClusterModule;
  kernel: RawKernelVersion;
  architecture: string;
  /** The Dockerfile's ConfigMap, from the namespace of the hub; undefined when it is not there. */
  configMap: (name: string) => ConfigMap | undefined;
  /** Where DTK_AUTO comes from outside OpenShift. */
  catalogue: readonly ToolkitCatalogueEntry[];
};

/** What one kernel needs: nothing (no mapping), an image by its recipe, or an input that a person must mend. */
export type RecipePlan =
  | { kind: 'Unmapped' }
  | { kind: 'Recipe'; imageName: string; spec: ModuleImageSpec; resolved: ResolvedImage }
  | { kind: 'Blocked'; error: HubError };

/** Something that a recipe names is not there. */
export class RecipeInputError extends HubError {
  override readonly name = 'RecipeInputError';
  readonly retry = 'never';
  readonly code: string;
  readonly remedy: string;
  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** The name of the ModuleImage of a target reference: one object whatever number of modules and clusters want it. */
export function moduleImageName(image: string): string {
  return sha256(image).slice(0, 40);
}

/** Resolves mapping, templates, Dockerfile and toolkit into the whole recipe, without any secret. Pure. */
export function planRecipe(input: RecipeInput): RecipePlan {
  const { module, kernel } = input;
  const container = module.spec.moduleSpec?.moduleLoader?.container;
  if (container === undefined) return { kind: 'Unmapped' };
  const identity = { moduleName: module.metadata.name, moduleNamespace: module.spec.spokeNamespace };
  const result = resolveModuleImage({ container, kernel, ...identity });
  if (!result.ok) return { kind: 'Blocked', error: result.error };
  const resolved = result.value;
  if (resolved === undefined) return { kind: 'Unmapped' };
  try {
    const spec = specOf(input, resolved);
    return { kind: 'Recipe', imageName: moduleImageName(resolved.image), spec, resolved };
  } catch (err) {
    if (err instanceof RecipeInputError) return { kind: 'Blocked', error: err };
    throw err;
  }
}

function specOf(input: RecipeInput, resolved: ResolvedImage): ModuleImageSpec {
  const { module, architecture } = input;
  const { moduleSpec, rebuildPolicy = 'IfMissing' } = module.spec;
  const repoSecret = moduleSpec?.imageRepoSecret?.name;
  const generation = moduleSpec?.imageRebuildTriggerGeneration;
  const recipe: Omit<ModuleImageSpec, 'recipeKey'> = {
    image: resolved.image,
    kernelVersion: resolved.kernelVersion, // trimmed: kernels that differ in a trailing + share mapping and image
    architecture,
    dirName: resolved.dirName,
    rebuildPolicy,
    ...(resolved.build && { build: buildOf(input, resolved) }),
    ...(resolved.sign && { sign: signOf(resolved.sign) }),
    ...(repoSecret && { imageRepoSecret: repoSecret }),
    ...(resolved.registryTLS && { registryTLS: resolved.registryTLS }),
    ...(generation !== undefined && { rebuildGeneration: generation }),
  };
  // what is only looked up may serve many kernels and architectures, so they are no inputs of it
  const made = recipe.build !== undefined || recipe.sign !== undefined;
  const inputs = made ? recipe : { ...recipe, kernelVersion: '', architecture: '', dirName: '' };
  return { ...recipe, recipeKey: sha256(canonical(inputs)) };
}

function buildOf(input: RecipeInput, resolved: ResolvedImage): NonNullable<ModuleImageSpec['build']> {
  const { module } = input;
  const build = resolved.build as NonNullable<ResolvedImage['build']>;
  const name = requiredName(build.dockerfileConfigMap, 'build.dockerfileConfigMap');
  const dockerfile = input.configMap(name)?.data?.dockerfile;
  if (dockerfile === undefined) throw missingDockerfile(input, name);
  const automatic = automaticBuildArgs({
    kernel: resolved.kernelVersion,
    moduleName: module.metadata.name,
    moduleNamespace: module.spec.spokeNamespace,
    ...(usesToolkit(dockerfile) && { toolkitImage: toolkitFor(input, resolved) }),
  });
  const declared = new Set(declaredBuildArgs(dockerfile));
  const buildArgs = mergeBuildArgs(build.buildArgs ?? [], automatic).filter((arg) => declared.has(arg.name));
  return {
    dockerfileConfigMap: name,
    dockerfileSha256: sha256(dockerfile),
    buildArgs,
    ...(build.secrets && { secrets: build.secrets }),
    ...(build.baseImageRegistryTLS && { baseImageRegistryTLS: build.baseImageRegistryTLS }),
  };
}

function signOf(sign: NonNullable<ResolvedImage['sign']>): NonNullable<ModuleImageSpec['sign']> {
  return {
    keySecret: requiredName(sign.keySecret, 'sign.keySecret'),
    certSecret: requiredName(sign.certSecret, 'sign.certSecret'),
    filesToSign: sign.filesToSign ?? [],
    ...(sign.unsignedImage && { unsignedImage: sign.unsignedImage }),
    ...(sign.unsignedImageRegistryTLS && { unsignedImageRegistryTLS: sign.unsignedImageRegistryTLS }),
  };
}

function toolkitFor({ catalogue, kernel }: RecipeInput, resolved: ResolvedImage): string {
  const found = findToolkitImage(catalogue, resolved.kernelVersion);
  if (!found.ok) throw new RecipeInputError('WrongToolkitCatalogue', found.error.message, found.error.remedy);
  if (found.value !== undefined) return found.value;
  throw new RecipeInputError(
    'ToolkitNotFound',
    `no toolkit image is known for kernel ${kernel}, which the Dockerfile asks for with DTK_AUTO`,
    'Add an entry to toolkitCatalogue in controller_config.yaml of the hub, or name a base image in the Dockerfile.',
  );
}

function missingDockerfile({ configMap }: RecipeInput, name: string): RecipeInputError {
  const what =
    configMap(name) === undefined ? `ConfigMap ${name} does not exist` : `ConfigMap ${name} has no key "dockerfile"`;
  return new RecipeInputError(
    'DockerfileNotFound',
    `the Dockerfile cannot be read: ${what}`,
    `Create ConfigMap ${name} with key "dockerfile" in the namespace of the hub.`,
  );
}

function requiredName(reference: LocalObjectReference | undefined, field: string): string {
  if (reference?.name) return reference.name;
  throw new RecipeInputError('NameMissing', `${field}.name is empty`, `Set ${field}.name in the kernel mapping.`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with sorted keys, so that equal recipes have equal keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
