import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ModuleConfig } from '@kmm-hub/api-types';
import { parseReference } from '@kmm-hub/oci';
import { trimPlus } from './plan.ts';

/** Below the images folder: manifests as files; what is being removed. Everything else there is the folder of an image. */
export const MANIFESTS = 'manifests';
export const REMOVED = 'removed';

/** `sha256:ab…` → `sha256-ab…`; holds one folder for each selection of the image's files. */
export function imageFolderName(digest: string): string {
  return digest.replace(':', '-');
}

/** The file with the manifest that a reference led to. @throws InvalidReferenceError */
export function manifestFileName(reference: string): string {
  const { digest } = parseReference(reference);
  return digest === undefined ? `tag-${sha256(reference)}.json` : `${imageFolderName(digest)}.json`;
}

/** What is wanted of an image: folders that may hold the modules, the better one first; and the folder of the firmware. */
export type Selection = { modules: string[]; firmware: string | undefined };

/**
 * Kernels with a trailing `+`: the image may have been laid out for the name with it, which is what the kernel says, or
 * without, which is what mappings and build arguments hold.
 */
export function selectionOf({ modprobe }: Pick<ModuleConfig, 'modprobe'>, release: string): Selection {
  const releases = [...new Set([release, trimPlus(release)])];
  const modules = releases.map((name) => join('/', modprobe.dirName ?? '/opt', 'lib/modules', name));
  return { modules, firmware: modprobe.firmwarePath ? join('/', modprobe.firmwarePath) : undefined };
}

/** Another dirName, firmwarePath or kernel is another selection of files, with a folder of its own. */
export function selectionFolderName(selection: Selection): string {
  return sha256(JSON.stringify(selection)).slice(0, 12);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
