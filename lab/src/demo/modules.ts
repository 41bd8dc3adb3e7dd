import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HUB_NAMESPACE } from '@kmm-hub/api-types';
import { parse, stringify } from 'yaml';
import { runCommand } from '../host/command.ts';
import { checkout } from '../host/config.ts';
import type { Kernel } from '../nodes/kernels.ts';
import type { WorldContext } from '../world/hub-world.ts';
import type { World } from '../world/world.ts';

/** A ManagedClusterModule of the demo, and the module of its images as the kernel spells it. */
export type DemoModule = { name: string; kernelModule: string };

/** examples/hello-kmod, on every node of the fleet. */
export const HELLO = { name: 'hello-kmod', kernelModule: 'hello_kmod' } as const;
/** examples/prebuilt-kmod, on spoke-b: nobody has signed it. */
export const PREBUILT = { name: 'prebuilt-kmod', kernelModule: 'prebuilt_kmod' } as const;
/** hello-kmod under another name with a mistake in its source. */
export const TYPO = { name: 'typo-kmod', kernelModule: 'typo_kmod', cluster: 'spoke-b' } as const;

const GREETING = 'hello-from-the-hub';

/** What examples/hello-kmod has its module print, as the kernel log shows it. */
export function greetingOf({ kernelModule }: DemoModule): string {
  return `${kernelModule}: ${GREETING}`;
}

const EXAMPLES = join(checkout, 'examples');
const REGISTRY = 'registry.example.com';
/** A semicolon that a person forgot, and the line with it. */
const MISTAKE = { wrong: 'greeting) return 0; }', right: 'greeting); return 0; }' };
const BUILD_LIMIT_MS = 300_000;

/** Follows examples/hello-kmod/README.md with kubectl, the lab's registry in place of registry.example.com. */
export async function applyHello(world: World): Promise<void> {
  await createSigningSecrets(world);
  await applyLikeHello(world, HELLO);
}

/** The first half of that README. */
export async function createSigningSecrets({ hub, signing: { key, certificate } }: World): Promise<void> {
  const secret = (name: string, entry: string) =>
    hub.kubectl([`--namespace=${HUB_NAMESPACE}`, 'create', 'secret', 'generic', name, `--from-file=${entry}`]);
  await secret('hello-kmod-signing-key', `key=${key}`);
  await secret('hello-kmod-signing-cert', `cert=${certificate}`);
}

/** The second half, under another name too. `greeting`: what the module prints. */
export async function applyLikeHello(world: World, module: DemoModule, greeting = GREETING): Promise<void> {
  await apply(world, renamed(await example('hello-kmod/configmap.yaml'), module));
  const manifest = renamed(await example('hello-kmod/managedclustermodule.yaml'), module);
  await apply(world, manifest.replace(GREETING, greeting));
}

/** Builds and pushes the image of examples/prebuilt-kmod for one kernel, as somebody's own pipeline would. */
export async function pushPrebuilt(
  { registry }: World,
  { kernel, toolkit }: { kernel: Kernel; toolkit: string },
  { folder, signal }: WorldContext,
): Promise<string> {
  const image = `${registry.host}/${PREBUILT.name}:${kernel.release}`;
  const place = join(folder, 'pipeline');
  const buildah = (...args: string[]) =>
    runCommand('buildah', ['--root', join(place, 'storage'), '--runroot', join(place, 'run'), ...args], {
      signal,
      timeoutMs: BUILD_LIMIT_MS,
    });
  const args = [`DTK_AUTO=${toolkit}`, `KERNEL_FULL_VERSION=${kernel.release}`].flatMap((arg) => ['--build-arg', arg]);
  const how = ['--isolation', 'chroot', '--tls-verify=false', '--tag', image];
  await buildah('build', ...how, ...args, join(EXAMPLES, PREBUILT.name));
  await buildah('push', '--tls-verify=false', image);
  await buildah('rmi', '--all', '--force'); // ends its mounts too
  return image;
}

export async function applyPrebuilt(world: World): Promise<void> {
  await apply(world, await example('prebuilt-kmod/managedclustermodule.yaml'));
}

/** hello-kmod once more for one cluster, under another name, with a source that no compiler takes. */
export async function applyTypo(world: World): Promise<void> {
  await applyTypoSource(world, 'wrong');
  const module = parse(renamed(await example('hello-kmod/managedclustermodule.yaml'), TYPO));
  module.spec.selector = { name: TYPO.cluster };
  await apply(world, stringify(module));
}

/** What a person does who has read the compiler's words. */
export function mendTypo(world: World): Promise<void> {
  return applyTypoSource(world, 'right');
}

async function applyTypoSource(world: World, source: 'right' | 'wrong'): Promise<void> {
  const configMap = renamed(await example('hello-kmod/configmap.yaml'), TYPO);
  if (!configMap.includes(MISTAKE.right)) throw new RangeError('examples/hello-kmod has no place for the mistake');
  await apply(world, configMap.replace(MISTAKE.right, MISTAKE[source]));
}

/** The Secrets are those of hello-kmod: the key is the same. */
function renamed(text: string, { name, kernelModule }: DemoModule): string {
  return text
    .replaceAll(HELLO.name, name)
    .replaceAll(HELLO.kernelModule, kernelModule)
    .replaceAll(`${name}-signing`, `${HELLO.name}-signing`);
}

function example(path: string): Promise<string> {
  return readFile(join(EXAMPLES, path), 'utf8');
}

async function apply({ hub, registry }: World, manifest: string): Promise<void> {
  await hub.kubectl(['apply', '--filename=-'], { input: manifest.replaceAll(REGISTRY, registry.host) });
}
