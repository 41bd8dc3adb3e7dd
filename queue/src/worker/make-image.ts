import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTENT_KEY_ANNOTATION, explain, INPUT_KEY_ANNOTATION, KERNEL_ANNOTATION } from '@kmm-hub/api-types';
import {
  ImageRefusedError,
  mediaTypes,
  type PulledManifest,
  parseReference,
  pushLayout,
  type RegistryClient,
  RegistryUnreachableError,
  repositoryOf,
} from '@kmm-hub/oci';
import { type ImageResult, resultLimits } from '../client/image-result.ts';
import { createLocalKeySigner } from '../signers/local-key-signer.ts';
import { type SignedFile, type SignedImage, signedFilesOf, signImage } from '../signers/sign-image.ts';
import type { Signer } from '../signers/signer.ts';
import { contentKeyOf } from './content-key.ts';
import { ForeignImageError, ImageMissingError, OtherNodesImageError } from './errors.ts';
import type { JobInputs } from './job-inputs.ts';
import type { JobProgress, WorkerDeps } from './process-image.ts';
import { insecureHosts } from './registry-access.ts';

export type Work = {
  deps: WorkerDeps;
  inputs: JobInputs;
  registry: RegistryClient;
  progress: JobProgress;
  signal: AbortSignal;
};
type Published = Extract<ImageResult, { outcome: 'Published' }>;
type Unsigned = { digest: string; repository: string; contentKey: string; built: boolean };
/** What is at the tag: undefined for nothing. */
type Present = { digest: string; annotations: Readonly<Record<string, string>> } | undefined;

/**
 * On the manifest of an image of ours: the uid of the ModuleImage that it was made for. A worker that finds it knows that
 * this very object's job made the image, and that the answer of it was lost.
 */
const MADE_FOR_ANNOTATION = 'sigs.x-k8s.io.kmm.made-for';
/** On the same: GOARCH name of the nodes that it was made for. */
const ARCHITECTURE_ANNOTATION = 'sigs.x-k8s.io.kmm.architecture';

/**
 * Look, build, sign, publish. The tag is written last, so it only ever shows the finished image (W5), and only when nobody
 * else wrote it meanwhile.
 */
export async function makeImage(work: Work): Promise<Published> {
  const { inputs, progress } = work;
  await progress.step('Looking');
  const present = await look(work);
  if (isWanted(inputs, present)) return foundImage(work, present);
  const signer = signerOf(inputs); // first: a key that is no key must not cost a build
  const unsigned = await makeUnsigned(work);
  const signed = await sign(work, { unsigned, signer });
  await progress.step('Publishing');
  return publish(work, { unsigned, signed, present });
}

/** Asks the registry for the tag, and notes whether the registry answers at all. */
async function look(work: Work): Promise<Present> {
  const { registries } = work.deps;
  const { host } = parseReference(work.inputs.image.spec.image);
  try {
    const present = await readPresent(work);
    registries.note(host, undefined);
    return present;
  } catch (err) {
    if (err instanceof RegistryUnreachableError) registries.note(host, explain(err));
    throw err;
  }
}

/** Images of ours are never indexes, and an index without our platform could not be followed. */
async function readPresent({ inputs, registry, signal }: Work): Promise<Present> {
  const { image } = inputs.image.spec;
  const found = await registry.resolve(image, signal);
  if (found === undefined) return undefined;
  const { digest, mediaType } = found;
  if (mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex) return { digest, annotations: {} };
  const { manifest } = await registry.getManifest(`${repositoryOf(image)}@${digest}`, signal);
  return { digest, annotations: manifest.annotations ?? {} };
}

/**
 * Whether what is at the tag may be taken as it is; else an image must be made.
 * @throws ForeignImageError, OtherNodesImageError
 */
function isWanted(inputs: JobInputs, present: Present): present is NonNullable<Present> {
  const { image, rebuildPolicy } = inputs.image.spec;
  if (present === undefined) return false;
  if (rebuildPolicy !== 'OnInputChange') {
    refuseOtherNodes(inputs, present);
    return true;
  }
  const published = present.annotations[INPUT_KEY_ANNOTATION];
  if (published === undefined) throw new ForeignImageError(image);
  // The recipe and the Secrets decide; whether a base image moved on is known only after pulling it.
  return published === contentKeyOf(inputs, {});
}

/** What we made for another kernel or architecture, before the recipe of this one counted, loads on none of its nodes. */
function refuseOtherNodes({ image }: JobInputs, { annotations }: NonNullable<Present>): void {
  const { build, sign, kernelVersion, architecture, image: reference } = image.spec;
  if (build === undefined && sign === undefined) return;
  const { [KERNEL_ANNOTATION]: kernel = kernelVersion, [ARCHITECTURE_ANNOTATION]: platform = architecture } =
    annotations;
  if (kernel === kernelVersion && platform === architecture) return;
  throw new OtherNodesImageError(reference, {
    made: `${kernel} on ${platform}`,
    wanted: `${kernelVersion} on ${architecture}`,
  });
}

async function foundImage(work: Work, { digest, annotations }: NonNullable<Present>): Promise<Published> {
  const { inputs, progress } = work;
  const { uid } = inputs.image.metadata;
  const { image, recipeKey, build, sign } = inputs.image.spec;
  progress.line(`${image} is in the registry: ${digest}`);
  const contentKey = annotations[CONTENT_KEY_ANNOTATION]?.slice(0, 64);
  const isOwn =
    annotations[MADE_FOR_ANNOTATION] === uid && annotations[INPUT_KEY_ANNOTATION] === contentKeyOf(inputs, {});
  return {
    ...{ outcome: 'Published', recipeKey, digest, origin: isOwn ? 'Recovered' : 'Taken' },
    built: isOwn && build !== undefined,
    ...(contentKey !== undefined && { contentKey }),
    ...(isOwn && sign !== undefined && (await signedBefore(work, digest))),
  };
}

/** What the answer that was lost said of them; the image stands, whether they can be told of or not. */
async function signedBefore({ inputs, registry, progress, signal }: Work, digest: string) {
  try {
    const image = await registry.getManifest(`${repositoryOf(inputs.image.spec.image)}@${digest}`, signal);
    return { signedFiles: fitting(await signedFilesOf({ client: registry, image }, signal)) };
  } catch (err) {
    if (!(err instanceof ImageRefusedError)) throw err;
    progress.line(`its signed files cannot be read: ${explain(err)}`);
    return {};
  }
}

type Finished = { unsigned: Unsigned; signed: SignedImage; present: Present };

/**
 * Writes the tag, unless somebody did since the look: a worker that was paused or cut off from Redis may have lost its job
 * to another one and not know it yet, and what was published once is never replaced by its like.
 */
async function publish(work: Work, { unsigned, signed, present }: Finished): Promise<Published> {
  const { inputs, registry, progress, signal } = work;
  const { image, recipeKey } = inputs.image.spec;
  const repository = repositoryOf(image);
  const { body, mediaType } = await registry.getManifest(`${repository}@${signed.digest}`, signal);
  const now = await look(work);
  if (now !== undefined && now.digest !== present?.digest) return foundImage(work, now);
  const { tag } = parseReference(image);
  const digest = await registry.putManifest(repository, { body, mediaType, tag }, signal);
  progress.line(`published ${image} as ${digest}`);
  const { built, contentKey } = unsigned;
  return {
    outcome: 'Published',
    recipeKey,
    digest,
    origin: 'Made',
    built,
    contentKey,
    signedFiles: fitting(signed.files),
  };
}

/** A pattern may match more files than a status holds; those that do not fit are told in the log of the job alone. */
function fitting(files: readonly SignedFile[]): SignedFile[] {
  return files.filter(({ path }) => path.length <= resultLimits.pathCharacters).slice(0, resultLimits.signedFiles);
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

/** @throws SigningKeyError */
function signerOf({ signing }: JobInputs): Signer | undefined {
  if (signing === undefined) return undefined;
  return createLocalKeySigner({
    privateKey: signing.key.data.key as Buffer,
    certificate: signing.certificate.data.cert as Buffer,
  });
}

async function sign(
  work: Work,
  { unsigned, signer }: { unsigned: Unsigned; signer: Signer | undefined },
): Promise<SignedImage> {
  const { inputs, registry, progress, signal } = work;
  const { spec } = inputs.image;
  if (spec.sign === undefined || signer === undefined) return { digest: unsigned.digest, files: [] };
  await progress.step('Signing');
  const source: PulledManifest = await registry.getManifest(`${unsigned.repository}@${unsigned.digest}`, signal);
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
  const { metadata, spec } = inputs.image;
  return {
    [CONTENT_KEY_ANNOTATION]: contentKey,
    [INPUT_KEY_ANNOTATION]: contentKeyOf(inputs, {}),
    [KERNEL_ANNOTATION]: spec.kernelVersion,
    [ARCHITECTURE_ANNOTATION]: spec.architecture,
    [MADE_FOR_ANNOTATION]: metadata.uid ?? '',
  };
}
