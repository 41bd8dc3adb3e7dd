import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CONTENT_KEY_ANNOTATION,
  explain,
  HubError,
  INPUT_KEY_ANNOTATION,
  KERNEL_ANNOTATION,
  type ModuleImageSpec,
} from '@kmm-hub/api-types';
import {
  createRegistryClient,
  dockerConfigAuth,
  type MirrorRule,
  type ProxyOptions,
  type PulledManifest,
  parseReference,
  pushLayout,
  type RegistryClient,
  type RegistryClientOptions,
  repositoryOf,
} from '@kmm-hub/oci';
import type { Logger } from 'pino';
import type { ImageJob, ImageResult, ImageStep } from '../client/image-job.ts';
import { BuildFailedError } from '../executors/errors.ts';
import type { Executor } from '../executors/executor.ts';
import { createLocalKeySigner } from '../signers/local-key-signer.ts';
import { signImage } from '../signers/sign-image.ts';
import { contentKeyOf } from './content-key.ts';
import { ForeignImageError, ImageMissingError } from './errors.ts';
import { type InputSource, type JobInputs, readImage, readJobInputs } from './job-inputs.ts';

export type WorkerDeps = InputSource & {
  executor: Executor;
  /** Builds work in folders below it. */
  workFolder: string;
  buildTimeoutMs: number;
  /** Where registries are mirrored; read anew for each job. */
  mirrors?: () => Promise<MirrorRule[]>;
  /** For registries; by HTTP(S)_PROXY and NO_PROXY. */
  proxy?: ProxyOptions | undefined;
  log: Logger;
};

/** What a running job tells: the step it is in, and lines for its log. */
export type JobProgress = { step: (step: ImageStep) => Promise<void>; line: (text: string) => void };

type Work = {
  deps: WorkerDeps;
  inputs: JobInputs;
  registry: RegistryClient;
  progress: JobProgress;
  signal: AbortSignal;
};
type Unsigned = { digest: string; repository: string; contentKey: string; built: boolean };

/**
 * One job, one worker: look, build, sign, publish. Safe to run twice: what is in the registry already ends the job. The
 * tag is written last, so it only ever shows the finished image (W5). What can be expected to go wrong is an answer, not
 * an exception; the hub decides when to try again.
 */
export async function processImage(
  deps: WorkerDeps,
  { job, progress }: { job: ImageJob; progress: JobProgress },
  signal: AbortSignal,
): Promise<ImageResult> {
  let recipeKey: string | undefined;
  try {
    const image = await readImage(deps, job, signal);
    recipeKey = image?.spec.recipeKey;
    const inputs = image && (await readJobInputs(deps, image, signal));
    if (inputs === undefined) return { outcome: 'Stale' };
    const registry = registryFor(inputs, { proxy: deps.proxy, mirrors: (await deps.mirrors?.()) ?? [] });
    try {
      return await makeImage({ deps, inputs, registry, progress, signal });
    } finally {
      await registry.close();
    }
  } catch (err) {
    if (signal.aborted || !(err instanceof HubError)) throw err;
    deps.log.warn({ err, job: job.name }, 'image failed');
    progress.line(`${err.code}: ${explain(err)}`);
    return failure(err, recipeKey);
  }
}

function failure(err: HubError, recipeKey: string | undefined): ImageResult {
  if (err instanceof ImageMissingError && recipeKey) return { outcome: 'Missing', recipeKey, ...wordsOf(err) };
  return { outcome: 'Failed', ...(recipeKey && { recipeKey }), retry: err.retry, ...wordsOf(err) };
}

/** The compiler's last lines are what a person needs first; the message of a condition may hold 32 KiB. */
function wordsOf(err: HubError): { reason: string; message: string } {
  const lines = err instanceof BuildFailedError ? `\n${err.lastLines.join('\n')}` : '';
  return { reason: err.code, message: `${explain(err)}${lines}`.slice(0, 16_384) };
}

async function makeImage(work: Work): Promise<ImageResult> {
  const { inputs, registry, progress, signal } = work;
  const { spec } = inputs.image;
  const { recipeKey } = spec;
  await progress.step('Looking');
  const present = await look(work);
  if (present !== undefined) {
    progress.line(`${spec.image} is in the registry: ${present}`);
    return { outcome: 'Published', recipeKey, digest: present, reused: true, built: false };
  }
  const unsigned = await makeUnsigned(work);
  const signed = await sign(work, unsigned);
  await progress.step('Publishing');
  const repository = repositoryOf(spec.image);
  const { body, mediaType } = await registry.getManifest(`${repository}@${signed.digest}`, signal);
  const { tag } = parseReference(spec.image);
  const digest = await registry.putManifest(repository, { body, mediaType, tag }, signal);
  progress.line(`published ${spec.image} as ${digest}`);
  const { built, contentKey } = unsigned;
  return { outcome: 'Published', recipeKey, digest, reused: false, built, contentKey, signedFiles: signed.files };
}

/** The digest of the image that is at the tag and may be taken as it is; undefined when one must be made. */
async function look({ inputs, registry, signal }: Work): Promise<string | undefined> {
  const { spec } = inputs.image;
  const present = await registry.resolve(spec.image, signal);
  if (present === undefined || spec.rebuildPolicy !== 'OnInputChange') return present?.digest;
  const { manifest } = await registry.getManifest(spec.image, signal);
  const published = manifest.annotations?.[INPUT_KEY_ANNOTATION];
  if (published === undefined) throw new ForeignImageError(spec.image);
  // The recipe and the Secrets decide; whether a base image moved on is known only after pulling it.
  return published === contentKeyOf(inputs, {}) ? present.digest : undefined;
}

/** Builds and pushes by digest, without a tag; or finds the image that is only to be signed. */
async function makeUnsigned(work: Work): Promise<Unsigned> {
  const { inputs, registry, signal } = work;
  const { spec } = inputs.image;
  if (inputs.dockerfile !== undefined) return build(work, inputs.dockerfile);
  if (!spec.sign?.unsignedImage) throw new ImageMissingError(spec.image);
  const { digest } = await registry.getManifest(spec.sign.unsignedImage, signal);
  const repository = repositoryOf(spec.sign.unsignedImage);
  return { digest, repository, contentKey: contentKeyOf(inputs, { [spec.sign.unsignedImage]: digest }), built: false };
}

async function build({ deps, inputs, registry, progress, signal }: Work, dockerfile: string): Promise<Unsigned> {
  const { spec } = inputs.image;
  await progress.step('Building');
  const workFolder = await mkdtemp(join(deps.workFolder, 'build-'));
  try {
    const { layoutFolder, baseImages } = await deps.executor.build(
      {
        dockerfile,
        buildArgs: Object.fromEntries((spec.build?.buildArgs ?? []).map(({ name, value }) => [name, value])),
        secrets: Object.fromEntries(Object.entries(inputs.buildSecrets).map(([name, { data }]) => [name, data])),
        registryAuth: inputs.registryAuth,
        insecureHosts: insecureHosts(spec),
        workFolder,
        timeoutMs: deps.buildTimeoutMs,
        network: 'none',
        onLog: progress.line,
      },
      signal,
    );
    const contentKey = contentKeyOf(inputs, baseImages);
    const repository = repositoryOf(spec.image);
    const annotations = annotationsOf(inputs, contentKey);
    const digest = await pushLayout({ client: registry, layoutFolder, repository, annotations, signal });
    return { digest, repository, contentKey, built: true };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

async function sign(
  work: Work,
  unsigned: Unsigned,
): Promise<{ digest: string; files: { path: string; sha256: string }[] }> {
  const { inputs, registry, progress, signal } = work;
  const { spec } = inputs.image;
  const { key, certificate } = inputs.signing ?? {};
  if (spec.sign === undefined || key === undefined || certificate === undefined) {
    return { digest: unsigned.digest, files: [] };
  }
  await progress.step('Signing');
  const source: PulledManifest = await registry.getManifest(`${unsigned.repository}@${unsigned.digest}`, signal);
  const signer = await createLocalKeySigner({
    privateKey: key.data.key as Buffer,
    certificate: certificate.data.cert as Buffer,
  });
  const signed = await signImage({
    client: registry,
    source,
    target: repositoryOf(spec.image),
    filesToSign: spec.sign.filesToSign,
    signer,
    annotations: annotationsOf(inputs, unsigned.contentKey),
    signal,
  });
  for (const { path } of signed.files) progress.line(`signed ${path}`);
  return signed;
}

function annotationsOf(inputs: JobInputs, contentKey: string): Record<string, string> {
  return {
    [CONTENT_KEY_ANNOTATION]: contentKey,
    [INPUT_KEY_ANNOTATION]: contentKeyOf(inputs, {}),
    [KERNEL_ANNOTATION]: inputs.image.spec.kernelVersion,
  };
}

function registryFor(
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
function insecureHosts(spec: ModuleImageSpec): (host: string) => boolean {
  const hosts = new Set<string>();
  if (spec.registryTLS?.insecure) hosts.add(parseReference(spec.image).host);
  const { unsignedImage, unsignedImageRegistryTLS } = spec.sign ?? {};
  if (unsignedImage && unsignedImageRegistryTLS?.insecure) hosts.add(parseReference(unsignedImage).host);
  const everyBase = spec.build?.baseImageRegistryTLS?.insecure === true;
  return (host) => everyBase || hosts.has(host);
}
