import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModuleConfig, type NodeModuleSpec, type Secret, secret } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import {
  createRegistryClient,
  digestOf,
  dockerConfigAuth,
  type MirrorRule,
  type ProxyOptions,
  type PulledManifest,
  parseReference,
  type RegistryAuth,
  RegistryDeniedError,
} from '@kmm-hub/oci';
import { extractModuleFiles, type ModuleFiles } from './extract.ts';

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
    const files = await extractModuleFiles({ client, image, config, release, imagesFolder, signal });
    if (kept === undefined) await keepManifest(imagesFolder, image);
    return files;
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

type Kept = Omit<PulledManifest, 'body'> & { body: string };

/** Only a reference by digest may be answered from the disk: a tag may have moved. */
async function keptManifest(imagesFolder: string, reference: string): Promise<PulledManifest | undefined> {
  const { digest } = parseReference(reference);
  if (digest === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(manifestFile(imagesFolder, digest), 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
  return parseKept(text);
}

/** What a power cut left torn, or what does not have its digest, is pulled anew; only the verified bytes are read. */
function parseKept(text: string): PulledManifest | undefined {
  try {
    const kept = JSON.parse(text) as Kept;
    const body = Buffer.from(kept.body, 'base64');
    if (digestOf(body) !== kept.digest) return undefined;
    return { ...kept, body, manifest: JSON.parse(body.toString('utf8')) as PulledManifest['manifest'] };
  } catch {
    return undefined; // torn: the registry has it whole
  }
}

async function keepManifest(imagesFolder: string, image: PulledManifest): Promise<void> {
  const text = JSON.stringify({ ...image, body: image.body.toString('base64') });
  await mkdir(join(imagesFolder, 'manifests'), { recursive: true });
  // an index is found again under its own digest, which is what the reference names
  for (const digest of new Set([image.digest, image.indexDigest ?? image.digest])) {
    const file = manifestFile(imagesFolder, digest);
    await writeFile(`${file}.partial`, text);
    await rename(`${file}.partial`, file);
  }
}

function manifestFile(imagesFolder: string, digest: string): string {
  return join(imagesFolder, 'manifests', `${digest.replace(':', '-')}.json`);
}
