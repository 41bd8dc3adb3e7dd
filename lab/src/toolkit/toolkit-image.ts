import { createRegistryClient, parseReference, pushLayout, repositoryOf } from '@kmm-hub/oci';
import { normaliseKernelVersion, parseKernelVersion, trimKernelVersion } from '@kmm-hub/rules';
import * as config from '../host/config.ts';
import type { Kernel } from '../nodes/kernels.ts';
import { toolkitLayout } from './toolkit-layout.ts';

/** With the registry's host before it, an entry of the hub's toolkit catalogue. */
export const TOOLKIT_TAG_TEMPLATE = 'toolkit:${KERNEL_FULL_VERSION}';

export type ToolkitOptions = {
  kernel: Kernel;
  /** e.g. `127.0.0.1:5000`. */
  registryHost: string;
  /** Repository and tag below it. Default TOOLKIT_TAG_TEMPLATE. */
  tagTemplate?: string;
  /** Default: the cache of kmm-hub. */
  cacheFolder?: string;
  signal: AbortSignal;
  progress?: (line: string) => void;
};

/**
 * Makes sure that the registry holds an image with the compiler and the headers of one kernel (Debian's counterpart to
 * OpenShift's Driver Toolkit) and answers with its reference. A tag that is there is left alone; else the image comes from
 * the cache, where mmdebstrap makes it once per kernel package. In it `/lib/modules/<release>/build` are the headers.
 * Throws NoDebianSourcesError, CommandFailedError, MissingToolError RuleError and the errors of @kmm-hub/oci.
 */
export async function ensureToolkitImage(options: ToolkitOptions): Promise<string> {
  const { kernel, registryHost, cacheFolder = config.cacheFolder(), signal, progress = () => undefined } = options;
  const reference = toolkitReference(registryHost, kernel, options.tagTemplate);
  const { tag } = parseReference(reference);
  const client = createRegistryClient();
  try {
    if ((await client.resolve(reference, signal)) !== undefined) return reference;
    const layoutFolder = await toolkitLayout({ kernel, cacheFolder, signal, progress });
    await pushLayout({ client, layoutFolder, repository: repositoryOf(reference), tag, signal });
    progress(`pushed ${reference}`);
    return reference;
  } finally {
    await client.close();
  }
}

/** Where the toolkit image of a kernel is: as the hub fills the same template from its catalogue. Throws RuleError. */
export function toolkitReference(
  registryHost: string,
  { release }: Pick<Kernel, 'release'>,
  tagTemplate = TOOLKIT_TAG_TEMPLATE,
): string {
  const kernel = parseKernelVersion(release);
  if (!kernel.ok) throw kernel.error;
  const tag = normaliseKernelVersion(trimKernelVersion(kernel.value));
  return `${registryHost}/${tagTemplate.replaceAll('${KERNEL_FULL_VERSION}', tag)}`;
}
