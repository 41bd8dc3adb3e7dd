import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type PulledManifest, parseReference } from '@kmm-hub/oci';
import { writeDurably } from './durable-files.ts';
import { imageFolderName, MANIFESTS, manifestFileName } from './image-places.ts';

type Kept = Omit<PulledManifest, 'body'> & { body: string };

/** Only a reference by digest may be answered from the disk: a tag may have moved. */
export async function keptManifest(imagesFolder: string, reference: string): Promise<PulledManifest | undefined> {
  if (parseReference(reference).digest === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(join(imagesFolder, MANIFESTS, manifestFileName(reference)), 'utf8');
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

/**
 * Under the digest, and under what `reference` says: an index's digest, or a tag, which so tells where it led last. On the disk
 * when it resolves: a node that loses its power right after a load is to load again without a registry.
 */
export async function keepManifest(imagesFolder: string, reference: string, image: PulledManifest): Promise<void> {
  const text = JSON.stringify({ ...image, body: image.body.toString('base64') });
  const digests = [image.digest, image.indexDigest ?? image.digest];
  const names = digests.map((digest) => `${imageFolderName(digest)}.json`);
  for (const name of new Set([...names, manifestFileName(reference)])) {
    await writeDurably(join(imagesFolder, MANIFESTS, name), text);
  }
}

/** File name → digest of the image; undefined for a file that holds no whole manifest. */
export async function listKeptManifests(imagesFolder: string): Promise<Map<string, string | undefined>> {
  const folder = join(imagesFolder, MANIFESTS);
  await mkdir(folder, { recursive: true });
  const files = (await readdir(folder)).sort();
  const digestIn = async (file: string) => parseKept(await readFile(join(folder, file), 'utf8'))?.digest;
  return new Map(await Promise.all(files.map(async (file) => [file, await digestIn(file)] as const)));
}
