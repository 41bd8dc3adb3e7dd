import { chmod, lstat, mkdir } from 'node:fs/promises';
import { geteuid } from 'node:process';
import { explain, UsageError } from '@kmm-hub/api-types';

const MODE = 0o700;

/**
 * Makes the folder that builds work in, or takes over the one that is there, for this process's user alone: below /tmp
 * anybody could have made it first, and could then change what is built. Throws UsageError.
 */
export async function makeWorkFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: MODE });
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== geteuid?.()) throw new Error('it is a link, or belongs to another user');
    await chmod(folder, MODE); // a mounted volume may come with 0777
  } catch (err) {
    const remedy = 'Give a folder of its own that belongs to the user of the worker.';
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(`--work-folder ${folder} cannot be used: ${explain(err)}`, remedy, { cause: err });
  }
}
