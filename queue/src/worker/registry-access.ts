import type { ModuleImageSpec } from '@kmm-hub/api-types';
import {
  createRegistryClient,
  dockerConfigAuth,
  parseReference,
  type RegistryClient,
  type RegistryClientOptions,
} from '@kmm-hub/oci';
import type { JobInputs } from './job-inputs.ts';

/** A client with the recipe's credentials, for its architecture. */
export function registryFor(
  { image, registryAuth }: JobInputs,
  ways: Pick<RegistryClientOptions, 'proxy' | 'mirrors'>,
): RegistryClient {
  return createRegistryClient({
    ...ways,
    ...(registryAuth !== undefined && { auth: dockerConfigAuth(registryAuth) }),
    insecureHosts: insecureHosts(image.spec),
    platform: { os: 'linux', architecture: image.spec.architecture },
  });
}

/** Registries that the recipe says are reached by plain HTTP; loopback always may be (oci's rule). */
export function insecureHosts(spec: ModuleImageSpec): (host: string) => boolean {
  const hosts = new Set<string>();
  if (spec.registryTLS?.insecure) hosts.add(parseReference(spec.image).host);
  const { unsignedImage, unsignedImageRegistryTLS } = spec.sign ?? {};
  if (unsignedImage && unsignedImageRegistryTLS?.insecure) hosts.add(parseReference(unsignedImage).host);
  const everyBase = spec.build?.baseImageRegistryTLS?.insecure === true;
  return (host) => everyBase || hosts.has(host);
}
