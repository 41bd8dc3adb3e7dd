import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MissingToolError } from '@kmm-hub/api-types';
import { childEnvironment } from '../host/config.ts';

/** Debian keeps these out of a plain user's PATH, though most of them need no right to run. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The file of a program of this machine, also of those in an sbin folder. Throws MissingToolError. */
export function findProgram(name: string): string {
  const folders = [...(childEnvironment().PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const file = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (file === undefined) throw new MissingToolError(name, 'Run `npm run setup`, which installs it.');
  return file;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // whatever keeps it from running here, the next folder may have one that does
  }
}
