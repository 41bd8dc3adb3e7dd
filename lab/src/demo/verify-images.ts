import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModuleImage, moduleImage, type Resource } from '@kmm-hub/api-types';
import { createRegistryClient, extractToMemory, type PulledManifest, type RegistryClient } from '@kmm-hub/oci';
import { runCommand } from '../host/command.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { WorldContext } from '../world/hub-world.ts';
import type { DemoModule } from './modules.ts';
import { readBack, Unexpected } from './read-back.ts';
import { statusMessage } from './verify-module.ts';

/** The ModuleImages whose repository is the module's. */
export async function imagesOf(
  { client }: ControlPlane,
  { name }: DemoModule,
  signal: AbortSignal,
): Promise<ModuleImage[]> {
  const { items } = await client.list(moduleImage as Resource<ModuleImage>, {}, signal);
  return items.filter(({ spec }) => spec.image.includes(`/${name}:`));
}

/** Waits until the module's image is published for each of the kernels (`uname -r`), and gives all it has. */
export function imagesPublished(
  hub: ControlPlane,
  { module, kernels }: { module: DemoModule; kernels: readonly string[] },
  signal: AbortSignal,
): Promise<ModuleImage[]> {
  const check = async (limit: AbortSignal) => {
    const images = await imagesOf(hub, module, limit);
    for (const kernel of kernels) {
      const image = images.find(({ spec }) => spec.kernelVersion === kernel);
      if (image?.status?.phase === 'Published') continue;
      throw new Unexpected(`${kernel}: ${readyMessage(image) ?? (await statusMessage(hub, module, limit))}`);
    }
    return images;
  };
  return readBack(`the images of ${module.name}`, check, signal);
}

/** Waits until the build of one of the module's images has failed; gives reason and words of its condition. */
export function imageFailed(
  hub: ControlPlane,
  module: DemoModule,
  signal: AbortSignal,
): Promise<{ reason: string; message: string }> {
  const check = async (limit: AbortSignal) => {
    const [image] = await imagesOf(hub, module, limit);
    const ready = image?.status?.conditions?.find(({ type }) => type === 'Ready');
    if (image?.status?.phase === 'Failed' && ready !== undefined) return ready;
    throw new Unexpected(ready?.message ?? (await statusMessage(hub, module, limit)));
  };
  return readBack(`the failure of the image of ${module.name}`, check, signal);
}

/** How often a worker has built, over all of the images. */
export function buildsOf(images: readonly ModuleImage[]): number {
  return images.reduce((sum, { status }) => sum + (status?.builds ?? 0), 0);
}

function readyMessage(image: ModuleImage | undefined): string | undefined {
  return image?.status?.conditions?.find(({ type }) => type === 'Ready')?.message;
}

/** Pulls the image's .ko files from the registry and asks modinfo who signed them. */
export async function signersOf(image: ModuleImage, { folder, signal }: WorldContext): Promise<string[]> {
  const client = createRegistryClient();
  try {
    const reference = `${image.spec.image.replace(/:[^:/]+$/, '')}@${image.status?.digest}`;
    const manifest = await client.getManifest(reference, signal);
    const tagged = await client.resolve(image.spec.image, signal);
    if (tagged?.digest !== image.status?.digest) throw new Unexpected(`the tag shows ${tagged?.digest}`);
    const root = `/opt/lib/modules/${image.spec.kernelVersion}`;
    const { files } = await extractToMemory({ client, image: manifest, roots: [root], signal });
    const modules = files.filter(({ path }) => path.endsWith('.ko'));
    if (modules.length === 0) throw new Unexpected('the image holds no module');
    await requireTools(client, manifest, signal);
    await mkdir(join(folder, 'published'), { recursive: true });
    return await Promise.all(
      modules.map(async ({ path, content }) => {
        const copy = join(folder, 'published', path.replaceAll('/', '_'));
        await writeFile(copy, content);
        return (await runCommand('modinfo', ['-F', 'signer', copy], { signal })).trim();
      }),
    );
  } finally {
    await client.close();
  }
}

/** Upstream's worker pods run these from the image (KMM v2.6 §3.6), so an image of ours serves its spokes too. */
async function requireTools(client: RegistryClient, image: PulledManifest, signal: AbortSignal): Promise<void> {
  const { files, links } = await extractToMemory({ client, image, roots: ['/bin'], signal });
  const names = new Set([...files, ...links].map(({ path }) => path));
  const missing = ['bin/sh', 'bin/cp', 'bin/mkdir'].filter((path) => !names.has(path));
  if (missing.length > 0) throw new Unexpected(`the image lacks ${missing.join(', ')}`);
}
