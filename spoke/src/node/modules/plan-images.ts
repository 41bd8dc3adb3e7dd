import type { ModuleConfig } from '@kmm-hub/api-types';
import { InvalidReferenceError, parseReference } from '@kmm-hub/oci';
import { imageFolderName, MANIFESTS, manifestFileName, selectionFolderName, selectionOf } from './image-places.ts';
import { type ModulePlanInput, trimPlus } from './plan.ts';

/** What lies below the images folder. */
export type KeptImages = {
  /** File → digest of the image whose manifest it holds; undefined for a file that holds no whole one. */
  manifests: ReadonlyMap<string, string | undefined>;
  /** Folder of an image → what is in it: a folder for each selection of its files. */
  images: ReadonlyMap<string, readonly string[]>;
};

export type ImageRemovalInput = KeptImages & Pick<ModulePlanInput, 'spec' | 'status' | 'intents'>;

/**
 * What to remove from the disk, as paths below the images folder. Manifests come first, since the files of an image whose
 * manifest is there are asked for without a Secret. Kept is
 * - what the spec names, also what waits for another kernel or fails to load;
 * - what the status names: what is loaded, or was before the reboot. An entry names it until the next image of the module
 *   is loaded, so that taking a change back needs no registry;
 * - what an intent names: what a process that died, or a modprobe that was left behind, may be loading.
 * So a Module has two images at most, a third only while a modprobe hangs, whatever their size and age. Pure: no clock,
 * no I/O, no log.
 */
export function planImageRemoval({ spec, status, intents, manifests, images }: ImageRemovalInput): string[] {
  const wanted = new Map<string, Set<string>>(); // folder of an image → its selections
  for (const config of [...spec, ...status, ...intents].flatMap((entry) => entry.config ?? [])) {
    for (const folder of imageFoldersOf(config, manifests)) {
      wanted.set(folder, new Set([...(wanted.get(folder) ?? []), ...selectionFoldersOf(config)]));
    }
  }
  const unwantedManifests = [...manifests].filter(([, digest]) => !digest || !wanted.has(imageFolderName(digest)));
  return [
    ...unwantedManifests.map(([file]) => `${MANIFESTS}/${file}`),
    ...[...images].flatMap(([folder, entries]) => {
      const selections = wanted.get(folder);
      if (selections === undefined) return [folder];
      return entries.filter((entry) => !selections.has(entry)).map((entry) => `${folder}/${entry}`);
    }),
  ];
}

/** The image that a reference names, or the one that its tag or index led to. */
function imageFoldersOf({ containerImage }: ModuleConfig, manifests: KeptImages['manifests']): string[] {
  try {
    const { digest } = parseReference(containerImage);
    const ledTo = manifests.get(manifestFileName(containerImage));
    return [digest, ledTo].flatMap((known) => (known === undefined ? [] : imageFolderName(known)));
  } catch (err) {
    if (err instanceof InvalidReferenceError) return []; // nothing was ever pulled for it
    throw err;
  }
}

/** A NodeModulesConfig may leave out the `+` that the kernel says (W34), and the kernel need not be the one that runs. */
function selectionFoldersOf(config: ModuleConfig): string[] {
  const trimmed = trimPlus(config.kernelVersion);
  return [trimmed, `${trimmed}+`].map((release) => selectionFolderName(selectionOf(config, release)));
}
