import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HubError, type ModuleConfig } from '@kmm-hub/api-types';
import { extractToDirectory, type PulledManifest, type RegistryClient } from '@kmm-hub/oci';
import { moveDurably, sync } from './durable-files.ts';
import { imageFolderName, selectionFolderName, selectionOf } from './image-places.ts';

/** What a node keeps of an image; all paths absolute. */
export type ModuleFiles = {
  /** Holds everything below, and the module tree; removing it removes the image from the node. */
  folder: string;
  digest: string;
  /** The image's `<dirName>/lib/modules/<release>`. */
  modulesFolder: string;
  /** The image's `firmwarePath`; undefined when the Module has none. */
  firmwareFolder: string | undefined;
};

export type ExtractionRequest = {
  client: RegistryClient;
  image: PulledManifest;
  config: ModuleConfig;
  /** `uname -r`. */
  release: string;
  /** Where images are kept, e.g. `/var/lib/kmm/images`. */
  imagesFolder: string;
  signal: AbortSignal;
};

/** The image has nothing where the Module says that its modules or its firmware are. */
export class ModuleFilesMissingError extends HubError {
  override readonly name = 'ModuleFilesMissingError';
  readonly code = 'ModuleFilesMissing';
  readonly retry = 'never';
  readonly remedy =
    'Copy the files to that place in the last stage of the Dockerfile, or correct dirName or firmwarePath in spec.moduleLoader.container.modprobe.';
  constructor(image: string, what: string, options?: ErrorOptions) {
    super(`image ${image} has ${what}`, options);
  }
}

/**
 * Brings the modules, and the firmware, of an image to the node's disk. Nothing of the image is run. What an earlier call
 * brought is taken as it is: a folder appears whole or not at all, also after a power cut, and once this resolves it stays.
 * @throws the errors of extractToDirectory
 */
export async function bringModuleFiles(request: ExtractionRequest): Promise<void> {
  const { client, image, config, release, signal } = request;
  const { modules, firmware } = selectionOf(config, release);
  const folder = moduleFilesFolder(request);
  if (await isFolder(join(folder, 'files'))) return;
  const roots = [...modules, ...(firmware === undefined ? [] : [firmware])];
  const arriving = join(folder, 'arriving');
  await rm(arriving, { recursive: true, force: true }); // of a process that was killed
  await extractToDirectory({ client, image, roots, destination: arriving, signal });
  await syncTree(arriving, signal);
  await moveDurably(arriving, join(folder, 'files'));
  await sync(dirname(folder)); // the folders above may be new as well
  await sync(request.imagesFolder);
}

/** The name of a folder may reach the disk long before what is in it, which is empty until then. */
async function syncTree(folder: string, signal: AbortSignal): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => !found.isSymbolicLink())) {
    signal.throwIfAborted();
    await sync(join(entry.parentPath, entry.name));
  }
  await sync(folder);
}

/** What bringModuleFiles brought. @throws ModuleFilesMissingError */
export async function findModuleFiles(request: Omit<ExtractionRequest, 'client' | 'signal'>): Promise<ModuleFiles> {
  const { image, config, release } = request;
  const { modules, firmware } = selectionOf(config, release);
  const folder = moduleFilesFolder(request);
  const placeOf = (path: string) => join(folder, 'files', path);
  const found = await firstWithModules(modules.map(placeOf));
  if (found === undefined) {
    throw new ModuleFilesMissingError(config.containerImage, `no .ko file below ${modules.join(' or ')}`);
  }
  const firmwareFolder = firmware === undefined ? undefined : placeOf(firmware);
  if (firmwareFolder !== undefined && !(await isFolder(firmwareFolder))) {
    throw new ModuleFilesMissingError(config.containerImage, `no folder ${firmware}`);
  }
  return { folder, digest: image.digest, modulesFolder: found, firmwareFolder };
}

type FolderRequest = Pick<ExtractionRequest, 'image' | 'config' | 'release' | 'imagesFolder'>;

function moduleFilesFolder({ image, config, release, imagesFolder }: FolderRequest): string {
  return join(imagesFolder, imageFolderName(image.digest), selectionFolderName(selectionOf(config, release)));
}

async function firstWithModules(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    if ((await moduleFilesBelow(folder)).length > 0) return folder;
  }
  return undefined;
}

/** The kernel modules below a folder, compressed ones too, sorted; none when there is no such folder. */
export async function moduleFilesBelow(folder: string): Promise<string[]> {
  if (!(await isFolder(folder))) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && /\.ko(\.(gz|xz|zst))?$/.test(entry.name));
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT' || err.code === 'ENOTDIR') return undefined;
    throw err;
  });
  return found?.isDirectory() ?? false;
}
