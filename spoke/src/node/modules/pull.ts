import { type ModuleConfig, type NodeModuleSpec, type Secret, secret } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import {
  createRegistryClient,
  dockerConfigAuth,
  type MirrorRule,
  type ProxyOptions,
  type PulledManifest,
  parseReference,
  type RegistryAuth,
  RegistryDeniedError,
} from '@kmm-hub/oci';
import { bringModuleFiles, findModuleFiles, type ModuleFiles } from './extract.ts';
import { keepManifest, keptManifest } from './kept-manifests.ts';

export type PullOptions = {
  client: KubeClient;
  /** Kept over reboots, so that a node loads without hub and registry. */
  imagesFolder: string;
  release: string;
  /** The node's own mirror rules; read anew for each pull, since a MachineConfig may change them. */
  mirrors: () => Promise<MirrorRule[]>;
  proxy?: ProxyOptions | undefined;
};

export type PullRequest = { module: Pick<NodeModuleSpec, 'namespace' | 'imageRepoSecret'>; config: ModuleConfig };

/**
 * The files of a module's image on the node's disk; pulled once for a digest. Nothing of the image is run.
 * @throws the errors of oci and of extract.ts
 */
export async function pullModuleFiles(
  options: PullOptions,
  { module, config }: PullRequest,
  signal: AbortSignal,
): Promise<ModuleFiles> {
  const kept = await keptManifest(options.imagesFolder, config.containerImage);
  if (kept === undefined)
    return pullWith(options, { config, auth: await authFor(options.client, module, signal) }, signal);
  try {
    // Kept on the disk: neither Secret nor registry is needed, so that a node loads without both.
    return await pullWith(options, { config, kept }, signal);
  } catch (err) {
    // Other files of a private image than before are wanted.
    if (!(err instanceof RegistryDeniedError)) throw err;
    return pullWith(options, { config, kept, auth: await authFor(options.client, module, signal) }, signal);
  }
}

type Pull = { config: ModuleConfig; kept?: PulledManifest; auth?: RegistryAuth | undefined };

async function pullWith(options: PullOptions, { config, kept, auth }: Pull, signal: AbortSignal): Promise<ModuleFiles> {
  const { imagesFolder, release } = options;
  const { host } = parseReference(config.containerImage);
  const client = createRegistryClient({
    ...(auth && { auth }),
    mirrors: await options.mirrors(),
    proxy: options.proxy,
    // NodeModulesConfig does not tell plain HTTP from unverified TLS (KMM v2.6 §3.12): TLS is tried, unverified.
    unverifiedHosts: (name) => config.insecurePull && name === host,
  });
  try {
    const image = kept ?? (await client.getManifest(config.containerImage, signal));
    const place = { image, config, release, imagesFolder };
    await bringModuleFiles({ ...place, client, signal });
    // Before it is looked at: what a broken image brought is kept as well, and not pulled again each time it is tried.
    if (kept === undefined) await keepManifest(imagesFolder, config.containerImage, image);
    return await findModuleFiles(place);
  } finally {
    await client.close();
  }
}

async function authFor(
  client: KubeClient,
  { namespace, imageRepoSecret }: PullRequest['module'],
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  if (!imageRepoSecret?.name) return undefined;
  const found: Secret = await client.get(secret, { namespace, name: imageRepoSecret.name }, signal);
  return dockerConfigAuth(Buffer.from(found.data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8'));
}
