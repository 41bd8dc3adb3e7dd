import { configMap, type ModuleImage, moduleImage, type Resource, type Secret, secret } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import type { ImageJob } from '../client/image-job.ts';
import { sha256 } from './content-key.ts';
import { SecretNotFoundError } from './errors.ts';
import { type SecretReference, secretsOf } from './secrets-of.ts';

/** A Secret's values, and the version that the content key covers. Never logged. */
export type SecretData = { version: string; data: Record<string, Buffer> };

export type JobInputs = {
  image: ModuleImage;
  dockerfile?: string;
  buildSecrets: Record<string, SecretData>;
  signing?: { key: SecretData; certificate: SecretData };
  /** Text of the .dockerconfigjson for pull and push. */
  registryAuth?: string;
};

export type InputSource = { client: KubeClient; namespace: string };

const images = moduleImage as Resource<ModuleImage>;

/** The ModuleImage that the job is for; `undefined` when it is gone, or another one of its name is there. */
export async function readImage(source: InputSource, job: ImageJob, signal: AbortSignal) {
  const image = await source.client.getIfPresent(images, { name: job.name }, signal);
  return image?.metadata.uid === job.uid ? image : undefined;
}

/**
 * Reads what the recipe needs from the API server: the queue carries names only. `undefined` when the Dockerfile is no
 * longer the one that the recipe was made from: the hub plans anew. @throws SecretNotFoundError
 */
export async function readJobInputs(
  source: InputSource,
  image: ModuleImage,
  signal: AbortSignal,
): Promise<JobInputs | undefined> {
  const { build: recipe } = image.spec;
  const { build, signing, registry } = secretsOf(image.spec);
  const inputs: JobInputs = { image, buildSecrets: {} };
  if (recipe !== undefined) {
    const dockerfile = await readDockerfile(source, recipe.dockerfileConfigMap, signal);
    if (dockerfile === undefined || sha256(dockerfile) !== recipe.dockerfileSha256) return undefined;
    inputs.dockerfile = dockerfile;
  }
  for (const secret of build) inputs.buildSecrets[secret.name] = await readSecret(source, secret, signal);
  if (signing !== undefined) {
    const key = await readSecret(source, signing.key, signal);
    const certificate = await readSecret(source, signing.certificate, signal);
    inputs.signing = { key, certificate };
  }
  if (registry !== undefined) {
    inputs.registryAuth = (await readSecret(source, registry, signal)).data[registry.key ?? '']?.toString('utf8') ?? '';
  }
  return inputs;
}

async function readDockerfile({ client, namespace }: InputSource, name: string, signal: AbortSignal) {
  const found = await client.getIfPresent(configMap, { namespace, name }, signal);
  return found?.data?.dockerfile;
}

async function readSecret(
  { client, namespace }: InputSource,
  { name, key }: SecretReference,
  signal: AbortSignal,
): Promise<SecretData> {
  const found: Secret | undefined = await client.getIfPresent(secret, { namespace, name }, signal);
  const data = Object.fromEntries(
    Object.entries(found?.data ?? {}).map(([entry, value]) => [entry, Buffer.from(value, 'base64')]),
  );
  if (found === undefined || (key !== undefined && data[key] === undefined)) {
    throw new SecretNotFoundError(namespace, { name, ...(key !== undefined && { key }) });
  }
  return { version: `${found.metadata.uid}/${found.metadata.resourceVersion}`, data };
}
