import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HubError, type ModuleConfig } from '@kmm-hub/api-types';
import { extractToDirectory, type PulledManifest, type RegistryClient } from '@kmm-hub/oci';

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
 * brought is taken as it is: a folder appears whole or not at all.
 * @throws ModuleFilesMissingError, and the errors of extractToDirectory
 */
export async function extractModuleFiles(request: ExtractionRequest): Promise<ModuleFiles> {
  const { client, image, config, release, signal } = request;
  const wanted = placesIn(config, release);
  const folder = moduleFilesFolder(request);
  const destination = join(folder, 'files');
  const roots = [...wanted.modules, ...(wanted.firmware === undefined ? [] : [wanted.firmware])];
  if (!(await isFolder(destination))) await extractToDirectory({ client, image, roots, destination, signal });

  const found = await firstWithModules(wanted.modules.map((path) => join(destination, path)));
  if (found === undefined) {
    throw new ModuleFilesMissingError(config.containerImage, `no .ko file below ${wanted.modules.join(' or ')}`);
  }
  const firmwareFolder = wanted.firmware === undefined ? undefined : join(destination, wanted.firmware);
  if (firmwareFolder !== undefined && !(await isFolder(firmwareFolder))) {
    throw new ModuleFilesMissingError(config.containerImage, `no folder ${wanted.firmware}`);
  }
  return { folder, digest: image.digest, modulesFolder: found, firmwareFolder };
}

/** One folder for an image and what is wanted of it: another dirName or firmwarePath is another selection of files. */
function moduleFilesFolder({ image, config, release, imagesFolder }: ExtractionRequest): string {
  const selection = createHash('sha256').update(JSON.stringify(placesIn(config, release)));
  return join(imagesFolder, image.digest.replace(':', '-'), selection.digest('hex').slice(0, 12));
}

/**
 * Kernels with a trailing `+`: the image may have been laid out for the name with it, which is what the kernel says, or
 * without, which is what mappings and build arguments hold.
 */
function placesIn({ modprobe }: ModuleConfig, release: string): { modules: string[]; firmware: string | undefined } {
  const releases = [...new Set([release, release.replace(/\+$/, '')])];
  const modules = releases.map((name) => join('/', modprobe.dirName ?? '/opt', 'lib/modules', name));
  return { modules, firmware: modprobe.firmwarePath ? join('/', modprobe.firmwarePath) : undefined };
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
