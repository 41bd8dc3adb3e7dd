import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import * as config from '../host/config.ts';
import { cachedEntry, exists } from './cached-entry.ts';
import { KernelNotFoundError } from './errors.ts';
import { type KernelFlavour, type KernelPackage, type KernelQuery, newestInIndex } from './kernel-index.ts';
import { findProgram } from './program.ts';

const ANSWER_LIFE_MS = 24 * 60 * 60 * 1000;
const DOWNLOAD_LIMIT_MS = 300_000;

/** A Debian kernel, unpacked. */
export type Kernel = KernelPackage & {
  /** What `uname -r` says, e.g. `6.1.0-56-cloud-amd64`. */
  release: string;
  vmlinuz: string;
  /** Folder whose `lib/modules/<release>` holds the modules: what `modprobe -d` wants. */
  root: string;
  /** `<root>/lib/modules/<release>`, with modules.dep. */
  modulesDir: string;
};

export type NewestKernelOptions = {
  /** First two numbers of the version, e.g. `6.1`; `6.12` comes with Debian 12's security updates. */
  series: string;
  /** Default: cloud. */
  flavour?: KernelFlavour;
  /** Default: the cache of kmm-hub. */
  cacheFolder?: string;
  signal: AbortSignal;
  progress?: (line: string) => void;
};

type Lookup = Required<Omit<NewestKernelOptions, 'series' | 'flavour'>> & { query: KernelQuery };

/** Finds and unpacks the newest kernel now, or throws. */
export type KernelLookUp = (lookup: Lookup) => Promise<Kernel>;

/**
 * The newest kernel of a series that Debian serves today, from apt's index and cache, so that neither a number nor a host
 * stands in the code. The answer holds for a day; without network an older answer does when its kernel is in the cache.
 * Throws KernelNotFoundError or CommandFailedError when neither gives one.
 */
export async function newestKernel(options: NewestKernelOptions, lookUp: KernelLookUp = lookUpByApt): Promise<Kernel> {
  const { series, flavour = 'cloud', cacheFolder = config.cacheFolder(), signal, progress = () => undefined } = options;
  const architecture = await runCommand('dpkg', ['--print-architecture'], { signal });
  const lookup = { query: { series, flavour, architecture }, cacheFolder, signal, progress };
  const answerFile = join(cacheFolder, 'kernels', `newest-${series}-${flavour}-${architecture}.json`);
  const last = await readAnswer(answerFile);
  const lastFolder = last && folderOf(lookup, last);
  const usable = lastFolder !== undefined && (await exists(lastFolder));
  if (last && usable && Date.now() - last.foundAtMs < ANSWER_LIFE_MS) return unpacked(last, lastFolder);
  try {
    const found = await lookUp(lookup);
    await writeAnswer(answerFile, found.package, found.packageVersion);
    return found;
  } catch (err) {
    signal.throwIfAborted();
    if (!last || !usable) throw err;
    progress(`no newer kernel could be looked up; ${last.package} ${last.packageVersion} from the cache is used`);
    return unpacked(last, lastFolder);
  }
}

/** Refreshes the index first where it may: Debian takes old kernels away, and a stale index would name one of them. */
async function lookUpByApt(lookup: Lookup): Promise<Kernel> {
  const { query, signal, progress } = lookup;
  if (process.getuid?.() === 0) {
    await runCommand('apt-get', ['update', '-q'], { signal, timeoutMs: 120_000 }).catch((err: unknown) => {
      signal.throwIfAborted();
      progress(`the package index was not refreshed: ${err instanceof Error ? err.message : String(err)}`);
    });
  }
  const newest = await newestInIndex(query, signal);
  progress(`newest ${query.series} ${query.flavour} kernel: ${newest.package} ${newest.packageVersion}`);
  const folder = await cachedEntry(folderOf(lookup, newest), (temporary) => download(newest, temporary, signal));
  return unpacked(newest, folder);
}

/** apt checks the package against the signed index. modules.dep is not in the package: depmod makes it. */
async function download(kernel: KernelPackage, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  const version = `${kernel.package}=${kernel.packageVersion}`;
  // As root apt would otherwise drop to a user that may not write here, and warn.
  const args = ['-q', '-o', 'APT::Sandbox::User=', 'download', version];
  await runCommand('apt-get', args, { signal, cwd: folder, timeoutMs: DOWNLOAD_LIMIT_MS }).catch((err: unknown) => {
    signal.throwIfAborted();
    throw new KernelNotFoundError(`${version} could not be downloaded`, { cause: err });
  });
  const file = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new KernelNotFoundError(`${version} was not downloaded`);
  await runCommand('dpkg-deb', ['-x', file, '.'], { signal, cwd: folder });
  await rm(join(folder, file));
  await runCommand(findProgram('depmod'), ['-b', folder, releaseOf(kernel)], { signal });
}

function unpacked(kernel: KernelPackage, root: string): Kernel {
  const { package: name, packageVersion } = kernel;
  const release = releaseOf(kernel);
  const vmlinuz = join(root, 'boot', `vmlinuz-${release}`);
  return { package: name, packageVersion, release, root, vmlinuz, modulesDir: join(root, 'lib/modules', release) };
}

function releaseOf(kernel: KernelPackage): string {
  return kernel.package.slice('linux-image-'.length);
}

function folderOf({ cacheFolder }: Lookup, { package: name, packageVersion }: KernelPackage): string {
  return join(cacheFolder, 'kernels', `${name}_${encodeURIComponent(packageVersion)}`);
}

type Answer = KernelPackage & { foundAtMs: number };

/** Undefined when nothing was looked up before, or an older kmm-hub wrote something else: then it is looked up again. */
async function readAnswer(file: string): Promise<Answer | undefined> {
  if (!(await exists(file))) return undefined;
  const { package: name, packageVersion, foundAtMs }: Partial<Answer> = JSON.parse(await readFile(file, 'utf8'));
  if (name === undefined || packageVersion === undefined || foundAtMs === undefined) return undefined;
  return { package: name, packageVersion, foundAtMs };
}

async function writeAnswer(file: string, name: string, packageVersion: string): Promise<void> {
  const answer: Answer = { package: name, packageVersion, foundAtMs: Date.now() };
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(answer));
  await rename(temporary, file);
}
