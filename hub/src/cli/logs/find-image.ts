import type { ManagedClusterModule, ModuleImage } from '@kmm-hub/api-types';
import { moduleImageName } from '../../fleet/recipe.ts';
import { UnknownNameError } from '../errors.ts';
import { imagesOfModule, phaseOf } from '../images.ts';

const MODULE_IMAGE = /^[0-9a-f]{40}$/;

/**
 * The name of the ModuleImage if the word alone says it: the name itself, or the reference that the image is published under,
 * e.g. "registry.example.com/nic:6.1.0-53-amd64". Undefined for the name of a module.
 */
export function namedImage(word: string): string | undefined {
  if (MODULE_IMAGE.test(word)) return word;
  return /[/:@]/.test(word) ? moduleImageName(word) : undefined;
}

/** The one image of a module. @throws UnknownNameError when there is none, or which there are when there are several. */
export function imageOfModule(module: ManagedClusterModule, images: readonly ModuleImage[]): string {
  const own = imagesOfModule(module, images);
  const [first, ...more] = own;
  const { name } = module.metadata;
  if (first === undefined) {
    const remedy = `See with \`kubectl kmm status ${name}\` and \`kubectl kmm why ${name} CLUSTER\` what its clusters wait for.`;
    throw new UnknownNameError(`ManagedClusterModule "${name}" has no image yet`, remedy);
  }
  if (more.length === 0) return first.metadata.name;
  const list = own.map((image) => `  ${image.metadata.name}  ${phaseOf(image).padEnd(9)}  ${image.spec.image}`);
  throw new UnknownNameError(
    `ManagedClusterModule "${name}" has ${own.length} images`,
    `Name one of them:\n${list.join('\n')}`,
  );
}
