import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Outcome, runCommand } from './command.ts';
import { BuilderBrokenError } from './errors.ts';

export type StorageOptions = {
  /** For one worker process alone. */
  folder: string;
  /** What cached layers may occupy before all are dropped, in MiB. */
  maxCacheMiB: number;
  /** Skips trying overlay. */
  driver?: 'vfs' | undefined;
};

/** Buildah's images, layers and working containers below one folder. */
export type BuildahStorage = {
  driver: 'overlay' | 'vfs';
  /** Holds the files of images and layers. */
  folder: string;
  /** `buildah` with the flags that make it use this storage. */
  argv(...args: string[]): [string, ...string[]];
  run(args: readonly string[], options: Omit<Command, 'argv'>, signal: AbortSignal): Promise<Outcome>;
  /**
   * Removes what killed builds left, and all layers when they have grown over the bound. Only while nothing builds.
   * Throws BuilderBrokenError.
   */
  tidy(signal: AbortSignal): Promise<void>;
};

const MIB = 1024 * 1024;

/**
 * Opens the storage: overlay where the kernel and the file system allow it, else vfs, which copies every layer (the same
 * small build on a 2 MB base image, 2 cores: 0.25 s and 0.97 s). Throws BuilderBrokenError.
 */
export async function openStorage(options: StorageOptions, signal: AbortSignal): Promise<BuildahStorage> {
  const { folder, maxCacheMiB } = options;
  const root = join(folder, 'storage');
  const roots = ['--root', root, '--runroot', join(folder, 'run')];
  await rm(join(folder, 'run'), { recursive: true, force: true }); // mounts counted there died with their process
  await mkdir(folder, { recursive: true });
  const argvOf = (driver: string, args: string[]): [string, ...string[]] => [
    'buildah',
    ...roots,
    '--storage-driver',
    driver,
    // an overlay has its own flags: device nodes that an image brings are not to be opened by its steps
    ...(driver === 'overlay' ? ['--storage-opt', 'overlay.mountopt=nodev'] : []),
    ...args,
  ];
  const tried = await runCommand({ argv: argvOf(options.driver ?? 'overlay', ['info']), folder }, signal);
  const driver = tried.exitCode === 0 ? (options.driver ?? 'overlay') : 'vfs';
  const argv = (...args: string[]) => argvOf(driver, args);
  const run: BuildahStorage['run'] = (args, options, limit) => runCommand({ ...options, argv: argv(...args) }, limit);

  async function need(args: readonly string[], limit: AbortSignal): Promise<void> {
    const { exitCode, lastLines } = await run(args, { folder }, limit);
    if (exitCode !== 0) throw new BuilderBrokenError(`buildah ${args.join(' ')} failed: ${lastLines.at(-1) ?? ''}`);
  }

  await need(['rm', '--all'], signal); // and proves that the storage works at all
  return {
    driver,
    folder: root,
    argv,
    run,
    async tidy(limit) {
      await need(['rm', '--all'], limit);
      const usedBytes = await layerBytes(join(root, `${driver}-layers`, 'layers.json'));
      if (usedBytes > maxCacheMiB * MIB) await need(['rmi', '--all', '--force'], limit);
    },
  };
}

/** As containers/storage counts it; 0 before the first layer. */
async function layerBytes(file: string): Promise<number> {
  try {
    const layers: { 'diff-size'?: number }[] = JSON.parse(await readFile(file, 'utf8'));
    return layers.reduce((sum, layer) => sum + (layer['diff-size'] ?? 0), 0);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw new BuilderBrokenError(`${file} cannot be read`, { cause: err });
  }
}
