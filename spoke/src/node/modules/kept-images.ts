import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFESTS, REMOVED } from './image-places.ts';
import { listKeptManifests } from './kept-manifests.ts';
import { type ImageRemovalInput, planImageRemoval } from './plan-images.ts';

/**
 * Takes the images off the disk that none of these names any more (see planImageRemoval). No pull, load or unload may run
 * meanwhile. Gives the paths that went, relative to the images folder.
 */
export async function removeUnwantedImages(
  imagesFolder: string,
  named: Pick<ImageRemovalInput, 'spec' | 'status' | 'intents'>,
): Promise<string[]> {
  const manifests = await listKeptManifests(imagesFolder);
  const unwanted = planImageRemoval({ ...named, manifests, images: await listImages(imagesFolder) });
  await removeFromImages(imagesFolder, unwanted);
  return unwanted;
}

/** Each path leaves its place in one step, before the first of its files goes: a process may be killed at any moment. */
export async function removeFromImages(imagesFolder: string, paths: readonly string[]): Promise<void> {
  const removed = join(imagesFolder, REMOVED);
  await rm(removed, { recursive: true, force: true }); // of a process that was killed
  if (paths.length === 0) return;
  await mkdir(removed);
  for (const [at, path] of paths.entries()) await rename(join(imagesFolder, path), join(removed, String(at)));
  await rm(removed, { recursive: true });
}

async function listImages(imagesFolder: string): Promise<Map<string, string[]>> {
  const entries = await readdir(imagesFolder, { withFileTypes: true });
  const images = entries.filter(({ name }) => name !== MANIFESTS && name !== REMOVED);
  const contentOf = (name: string) => readdir(join(imagesFolder, name));
  return new Map(
    await Promise.all(
      images.map(async (entry) => [entry.name, entry.isDirectory() ? await contentOf(entry.name) : []] as const),
    ),
  );
}
