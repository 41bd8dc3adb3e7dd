import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLoopbackHost, parseReference } from '@kmm-hub/oci';
import { type BuildahStorage, openStorage, type StorageOptions } from './buildah-storage.ts';
import { requireTools, runCommand } from './command.ts';
import { readDockerfile } from './dockerfile.ts';
import { BaseImageError, BuilderBrokenError, BuildFailedError, BuildTimeoutError } from './errors.ts';
import type { BuildRequest, BuildResult, Executor } from './executor.ts';
import { limitMemory, type MemoryLimit } from './memory-limit.ts';
import { SANDBOX_PACKAGES, sandboxed, secretsArchive } from './sandbox.ts';
import { secretMask } from './secret-mask.ts';

/**
 * No chroot(2) in a step: under chroot isolation a process that may call it walks out into the worker's files. The other
 * capabilities are the few that package managers need.
 */
const ISOLATION = ['--isolation', 'chroot', '--network', 'host', '--cap-drop', 'CAP_SYS_CHROOT'];
const TIDY_LIMIT_MS = 60_000;

/**
 * Builds with buildah, as root, in a storage of its own (one executor per folder). Disposing waits for the cleaning after
 * the last build; running builds end by their signals. Throws MissingToolError at the first build.
 */
export function createBuildahExecutor(options: StorageOptions): Executor & AsyncDisposable {
  return new BuildahExecutor(options);
}

class BuildahExecutor implements Executor, AsyncDisposable {
  readonly #options: StorageOptions;
  #opening: Promise<BuildahStorage> | undefined;
  #tidying: Promise<void> = Promise.resolve();
  #active = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  async build(request: BuildRequest, signal: AbortSignal): Promise<BuildResult> {
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const either = AbortSignal.any([signal, timeout]);
    try {
      const storage = await this.#enter();
      try {
        return await buildOnce(storage, request, either);
      } finally {
        this.#leave(storage);
      }
    } catch (err) {
      if (timeout.aborted && !signal.aborted && err === either.reason) {
        throw new BuildTimeoutError(request.timeoutMs, { cause: err });
      }
      throw err;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tidying;
  }

  /** Counts one more build, never while the storage is tidied: that would take the build's containers away. */
  async #enter(): Promise<BuildahStorage> {
    for (;;) {
      this.#opening ??= this.#open();
      const [opening, tidying] = [this.#opening, this.#tidying];
      const storage = await opening;
      await tidying;
      if (opening !== this.#opening || tidying !== this.#tidying) continue; // changed while we waited
      this.#active += 1;
      return storage;
    }
  }

  /** Shared by all builds that wait for it, so it has its own limit instead of one build's signal. */
  async #open(): Promise<BuildahStorage> {
    try {
      await requireTools({ buildah: 'buildah', ...SANDBOX_PACKAGES });
      return await openStorage(this.#options, AbortSignal.timeout(TIDY_LIMIT_MS));
    } catch (err) {
      this.#opening = undefined; // a full disk may be emptied, a tool installed
      throw err;
    }
  }

  #leave(storage: BuildahStorage): void {
    this.#active -= 1;
    if (this.#active > 0) return;
    this.#tidying = storage.tidy(AbortSignal.timeout(TIDY_LIMIT_MS)).catch(() => {
      this.#opening = undefined; // the next build opens the storage anew, and fails with what is wrong with it
    });
  }
}

async function buildOnce(storage: BuildahStorage, request: BuildRequest, signal: AbortSignal): Promise<BuildResult> {
  const facts = readDockerfile(request.dockerfile, request.buildArgs);
  const baseImages: Record<string, string> = {};
  for (const image of facts.baseImages) baseImages[image] = await pullBase(storage, { image, request }, signal);
  await using limit = await limitMemory(randomUUID(), request.memoryMiB);
  const image = await runBuild(storage, { request, limit }, signal);
  const layoutFolder = join(request.workFolder, 'layout');
  await exportImage(storage, { image, layoutFolder, request }, signal);
  return { layoutFolder, baseImages, memoryLimit: limit.kind };
}

type Pull = { image: string; request: BuildRequest };

/** With network and credentials, before anything of the Dockerfile runs. Returns the digest. */
async function pullBase(storage: BuildahStorage, { image, request }: Pull, signal: AbortSignal): Promise<string> {
  const { workFolder: folder, insecureHosts, registryAuth, onLog } = request;
  const { host } = parseReference(image);
  const authFile = join(folder, 'auth.json');
  const plain = isLoopbackHost(host) || insecureHosts?.(host) === true;
  const flags = ['--policy', 'always', ...(plain ? ['--tls-verify=false'] : []), '--authfile', authFile];
  await writeFile(authFile, registryAuth ?? '{}', { mode: 0o600 });
  try {
    const pulled = await storage.run(['pull', ...flags, image], { folder, onLog }, signal);
    if (pulled.exitCode !== 0) throw new BaseImageError(image, pulled.lastLines);
  } finally {
    await rm(authFile, { force: true });
  }
  const inspected = await storage.run(
    ['inspect', '--type', 'image', '--format', '{{.FromImageDigest}}', image],
    { folder },
    signal,
  );
  if (inspected.exitCode !== 0) throw new BaseImageError(image, inspected.lastLines);
  return inspected.stdout.at(-1)?.trim() ?? '';
}

type Run = { request: BuildRequest; limit: MemoryLimit };

/** Returns the image's id in the storage. */
async function runBuild(storage: BuildahStorage, { request, limit }: Run, signal: AbortSignal): Promise<string> {
  const { workFolder: folder, onLog, secrets } = request;
  const file = { dockerfile: join(folder, 'Dockerfile'), id: join(folder, 'image-id') };
  const context = join(folder, 'context');
  const secretsFolder = join(folder, 'secrets');
  await Promise.all([context, secretsFolder].map((path) => mkdir(path, { recursive: true })));
  await writeFile(file.dockerfile, request.dockerfile);
  const inputs = [
    ...Object.entries(request.buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.keys(secrets).flatMap((name) => ['--volume', `${join(secretsFolder, name)}:/run/secrets/${name}:ro`]),
  ];
  const outputs = ['--format', 'oci', '--iidfile', file.id, '--file', file.dockerfile, context];
  const flags = ['--pull=never', ...cacheFlags(request), ...ISOLATION, ...limit.ulimits];
  const argv = sandboxed({
    argv: storage.argv('build', ...flags, ...inputs, ...outputs),
    joinFile: limit.joinFile,
    secretsFolder,
    storageFolder: storage.folder,
  });
  const built = await runCommand(
    { argv, folder, onLog, input: secretsArchive(secrets), mask: secretMask(secrets) },
    signal,
  );
  if (built.exitCode !== 0) {
    throw new BuildFailedError(`the build failed: ${built.lastLines.at(-1) ?? 'it printed nothing'}`, built.lastLines);
  }
  return (await readFile(file.id, 'utf8')).trim();
}

/** Secrets are no part of the key that cached layers are found by: such a build neither uses the cache nor leaves layers in it. */
function cacheFlags({ secrets }: BuildRequest): string[] {
  return Object.keys(secrets).length > 0 ? ['--layers=false', '--no-cache'] : ['--layers'];
}

type Export = { image: string; layoutFolder: string; request: BuildRequest };

async function exportImage(
  storage: BuildahStorage,
  { image, layoutFolder, request }: Export,
  signal: AbortSignal,
): Promise<void> {
  const { workFolder: folder, onLog, secrets } = request;
  const pushed = await storage.run(['push', '--quiet', image, `oci:${layoutFolder}`], { folder, onLog }, signal);
  if (pushed.exitCode !== 0) throw new BuilderBrokenError(`buildah push failed: ${pushed.lastLines.at(-1) ?? ''}`);
  if (Object.keys(secrets).length > 0) await storage.run(['rmi', '--force', image], { folder }, signal);
}
