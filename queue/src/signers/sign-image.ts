import { createHash } from 'node:crypto';
import {
  appendLayer,
  type ExtractedFile,
  extractToMemory,
  layerOfFiles,
  linkTarget,
  type PulledManifest,
  type RegistryClient,
} from '@kmm-hub/oci';
import { FileToSignMissingError } from './errors.ts';
import { exactPath, type PathPattern, pathPattern } from './path-pattern.ts';
import type { Signer } from './signer.ts';

export type SignImageRequest = {
  client: RegistryClient;
  source: PulledManifest;
  /** The repository that gets the signed image; it may be another than the source's, in another registry. */
  target: string;
  /** Absolute paths in the image, or shell patterns; each must match at least one file. */
  filesToSign: readonly string[];
  signer: Signer;
  annotations?: Record<string, string> | undefined;
  signal: AbortSignal;
};

/** `sha256` is hex, of the file with its signature. */
export type SignedFile = { path: string; sha256: string };

/** `digest` is reachable by digest only; tagging it is the caller's last step. Files are in the order of their paths. */
export type SignedImage = { digest: string; files: SignedFile[] };

const MAX_LINKS = 8;

/**
 * Signs modules in an image: reads only those, signs them, and pushes the image with one more layer that holds exactly the
 * signed files, under the same path, mode and owner. The first failure fails all (W31). Throws FileToSignMissingError,
 * ModuleFormatError, SigningKeyError and the errors of oci.
 */
export async function signImage(request: SignImageRequest): Promise<SignedImage> {
  const { client, source, target, signer, annotations, signal } = request;
  const found = await findFiles(request);
  const signed: ExtractedFile[] = [];
  for (const file of found) signed.push({ ...file, content: await signer.sign(file.content, signal) });
  const layer = await layerOfFiles(signed.map(({ realPath, ...file }) => ({ ...file, path: realPath })));
  const createdBy = `kmm-hub: sign ${signed.length} kernel modules`;
  const digest = await appendLayer({ client, source, target, layer, annotations, createdBy, signal });
  return { digest, files: told(signed) };
}

/** What signImage said of an image that it made, read back from the layer that it added. @throws the errors of oci */
export async function signedFilesOf(
  { client, image }: { client: RegistryClient; image: PulledManifest },
  signal: AbortSignal,
): Promise<SignedFile[]> {
  const added = { ...image, manifest: { ...image.manifest, layers: image.manifest.layers.slice(-1) } };
  return told((await extractToMemory({ client, image: added, roots: ['/'], signal })).files);
}

function told(files: readonly ExtractedFile[]): SignedFile[] {
  const entries = files.map(({ realPath, content }) => ({ path: `/${realPath}`, sha256: sha256(content) }));
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Each file once, by its real path. A link that an entry matches stands for the file it leads to. */
async function findFiles({ client, source, filesToSign, signal }: SignImageRequest): Promise<ExtractedFile[]> {
  const files = new Map<string, ExtractedFile>();
  const satisfied = new Set<string>();
  let patterns = filesToSign.map(pathPattern);
  for (let links = 0; patterns.length > 0 && links < MAX_LINKS; links += 1) {
    const wanted = patterns;
    const match = (path: string) => wanted.some((pattern) => pattern.matches(path));
    const roots = wanted.map(({ folder }) => folder);
    const found = await extractToMemory({ client, image: source, roots, match, signal });
    for (const [file, { entry }] of matching(found.files, wanted)) {
      files.set(file.realPath, file);
      satisfied.add(entry);
    }
    patterns = matching(found.links, wanted).map(([link, { entry }]) =>
      exactPath(entry, linkTarget(link.realPath, link.target)),
    );
  }
  const missing = filesToSign.filter((entry) => !satisfied.has(entry));
  if (missing.length > 0) throw new FileToSignMissingError(missing);
  return [...files.values()];
}

function matching<T extends { path: string }>(
  found: readonly T[],
  patterns: readonly PathPattern[],
): [T, PathPattern][] {
  return patterns.flatMap((pattern) =>
    found.filter(({ path }) => pattern.matches(path)).map((file): [T, PathPattern] => [file, pattern]),
  );
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
