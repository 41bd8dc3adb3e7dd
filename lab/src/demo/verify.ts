import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClusterInventory,
  type ManagedClusterModule,
  type ManifestWork,
  type Module,
  type ModuleImage,
  type Node,
  type NodeFeature,
  type NodeModulesConfig,
  type NodeResourceTopology,
  SPOKE_NAMESPACE,
} from '@kmm-hub/api-types';
import { createRegistryClient, extractToMemory, type PulledManifest, type RegistryClient } from '@kmm-hub/oci';
import { runCommand } from '../host/command.ts';
import { waitFor } from '../host/wait.ts';
import type { LabNode } from '../nodes/node.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import type { Planes } from '../world/spoke-world.ts';
import { KERNEL_MODULE, MODULE, SAYS } from './example.ts';

/** What a step expects and does not find. */
class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

type Limits = { signal: AbortSignal; timeoutMs?: number };

/** Reads an object as admin; undefined when it is not there. */
async function read<T>(plane: ControlPlane, ...what: string[]): Promise<T | undefined> {
  const text = await plane.kubectl(['get', ...what, '--ignore-not-found', '--output=json']);
  return text.trim() === '' ? undefined : (JSON.parse(text) as T);
}

async function list<T>(plane: ControlPlane, ...what: string[]): Promise<T[]> {
  const text = await plane.kubectl(['get', ...what, '--output=json']);
  return (JSON.parse(text) as { items: T[] }).items;
}

/** Waits until the image of the kernel is published; what it says meanwhile becomes the error of a wait that ends. */
export async function imagePublished(hub: ControlPlane, kernel: string, limits: Limits): Promise<ModuleImage> {
  return waitFor({
    what: `the image for kernel ${kernel}`,
    check: async () => {
      const images = await list<ModuleImage>(hub, 'moduleimages');
      const image = images.find(({ spec }) => spec.kernelVersion === kernel);
      if (image?.status?.phase === 'Published') return image;
      const ready = image?.status?.conditions?.find(({ type }) => type === 'Ready');
      throw new Unexpected(ready?.message ?? (await moduleMessage(hub)));
    },
    timeoutMs: limits.timeoutMs ?? 180_000,
    intervalMs: 200,
    signal: limits.signal,
  });
}

async function moduleMessage(hub: ControlPlane): Promise<string> {
  const module = await read<ManagedClusterModule>(hub, 'managedclustermodule', MODULE);
  const conditions = module?.status?.conditions ?? [];
  return conditions.find(({ type }) => type === 'Available')?.message ?? 'the module has no status yet';
}

/** Pulls the image's .ko files from the registry and asks modinfo who signed them. */
export async function signersOf(
  image: ModuleImage,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<string[]> {
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

export type Delivered = { works: ManifestWork[]; module: Module; nmc: NodeModulesConfig };

/** Waits until work, Module and NodeModulesConfig all carry the digest. */
export async function delivered(
  { hub, spoke }: Planes,
  { node, digest }: { node: string; digest: string },
  limits: Limits,
): Promise<Delivered> {
  return waitFor({
    what: 'work, Module and NodeModulesConfig',
    check: async () => {
      const works = await list<ManifestWork>(hub, 'manifestworks', '--all-namespaces');
      if (!JSON.stringify(works).includes(digest)) throw new Unexpected(await moduleMessage(hub));
      const module = await read<Module>(spoke, 'module', MODULE, `--namespace=${SPOKE_NAMESPACE}`);
      if (module === undefined) throw new Unexpected('the Module is not on the spoke yet');
      const nmc = await read<NodeModulesConfig>(spoke, 'nodemodulesconfig', node);
      const wanted = nmc?.spec?.modules?.[0]?.config.containerImage;
      if (nmc === undefined || !wanted?.includes(digest)) {
        throw new Unexpected(module.status?.degraded?.message ?? 'the node is to load nothing yet');
      }
      return { works, module, nmc };
    },
    timeoutMs: limits.timeoutMs ?? 60_000,
    intervalMs: 200,
    signal: limits.signal,
  });
}

/** Waits until the node's kernel itself has the module and has printed its word; read over the serial probe. */
export async function loadedOnNode(spoke: ControlPlane, node: LabNode, limits: Limits): Promise<string> {
  return waitFor({
    what: `${KERNEL_MODULE} in the kernel of ${node.name}`,
    check: async (signal) => {
      const modules = await node.probe.modules(signal);
      if (modules.find(({ name }) => name === KERNEL_MODULE)?.state !== 'Live') {
        const nmc = await read<NodeModulesConfig>(spoke, 'nodemodulesconfig', node.name);
        throw new Unexpected(nmc?.status?.modules?.[0]?.error?.message ?? 'not in /proc/modules');
      }
      const line = (await node.probe.kernelLog(signal)).findLast((text) => text.includes(`${KERNEL_MODULE}:`));
      if (!line?.includes(SAYS)) throw new Unexpected(`the kernel log says ${line ?? 'nothing of it'}`);
      return line.slice(line.indexOf(KERNEL_MODULE));
    },
    timeoutMs: limits.timeoutMs ?? 60_000,
    intervalMs: 200,
    signal: limits.signal,
  });
}

/** Waits until the hub says that the module is on every node. */
export async function availableOnHub(hub: ControlPlane, limits: Limits): Promise<ManagedClusterModule> {
  return waitFor({
    what: `ManagedClusterModule ${MODULE}`,
    check: async () => {
      const module = await read<ManagedClusterModule>(hub, 'managedclustermodule', MODULE);
      const available = module?.status?.conditions?.find(({ type }) => type === 'Available');
      if (module === undefined || available?.status !== 'True') throw new Unexpected(await moduleMessage(hub));
      return module;
    },
    timeoutMs: limits.timeoutMs ?? 60_000,
    intervalMs: 200,
    signal: limits.signal,
  });
}

export type NodeReport = { features: string[]; sets: number; zones: string[]; inventory: ClusterInventory };

/** Waits until the node's features are labels of the Node, its zones are a topology, and both are in the inventory. */
export async function reported(
  planes: Planes,
  { node, kernel }: { node: string; kernel: string },
  limits: Limits,
): Promise<NodeReport> {
  return waitFor({
    what: `what ${node} reports`,
    check: async () => {
      const [labels, zones] = [await labelledFeatures(planes.spoke, node), await zonesOf(planes.spoke, node)];
      const inventory = await inventoryWith(planes, { kernel, zones: zones.length });
      return { ...labels, zones, inventory };
    },
    timeoutMs: limits.timeoutMs ?? 30_000,
    intervalMs: 200,
    signal: limits.signal,
  });
}

/** The first part of the names of NFD's feature sets. */
const SOURCES = ['kernel', 'cpu', 'memory', 'pci', 'storage', 'system'];

async function labelledFeatures(spoke: ControlPlane, name: string): Promise<{ features: string[]; sets: number }> {
  const feature = await read<NodeFeature>(spoke, 'nodefeature', name, `--namespace=${SPOKE_NAMESPACE}`);
  const labels = (await read<Node>(spoke, 'node', name))?.metadata.labels ?? {};
  const features = Object.entries(feature?.spec?.labels ?? {});
  if (features.length === 0) throw new Unexpected('there is no NodeFeature with labels');
  const missing = features.find(([key, value]) => labels[key] !== value);
  if (missing !== undefined) throw new Unexpected(`label ${missing[0]} is not on the Node`);
  const { flags, attributes, instances } = feature?.spec?.features ?? {};
  const sets = [flags, attributes, instances].flatMap((part) => Object.keys(part ?? {}));
  const silent = SOURCES.filter((source) => !sets.some((set) => set.startsWith(`${source}.`)));
  if (silent.length > 0) throw new Unexpected(`nothing is reported of ${silent.join(', ')}`);
  return { features: features.map(([key, value]) => `${key}=${value}`), sets: sets.length };
}

async function zonesOf(spoke: ControlPlane, name: string): Promise<string[]> {
  const topology = await read<NodeResourceTopology>(spoke, 'noderesourcetopology', name);
  if (!topology?.zones.length) throw new Unexpected('there is no NodeResourceTopology with zones');
  return topology.zones.map((zone) => zone.name);
}

async function inventoryWith(
  { hub, spoke }: Planes,
  { kernel, zones }: { kernel: string; zones: number },
): Promise<ClusterInventory> {
  const inventory = await read<ClusterInventory>(hub, 'clusterinventory', spoke.name, `--namespace=${spoke.name}`);
  const group = inventory?.spec?.groups.find(({ kernelVersion }) => kernelVersion === kernel);
  if (inventory === undefined || group === undefined) throw new Unexpected('the ClusterInventory lacks the kernel');
  if (group.zones?.length !== zones) throw new Unexpected('the ClusterInventory lacks the zones');
  if (Object.keys(group.features).length === 0) throw new Unexpected('the ClusterInventory lacks the features');
  return inventory;
}

/** Waits until nothing of the module is left: in the node's kernel, on the spoke, on the hub. */
export async function gone({ hub, spoke }: Planes, node: LabNode, limits: Limits): Promise<void> {
  await waitFor({
    what: `the end of ${MODULE}`,
    check: async (signal) => {
      const left: string[] = [];
      const modules = await node.probe.modules(signal);
      if (modules.some(({ name }) => name === KERNEL_MODULE))
        left.push(`${KERNEL_MODULE} in the kernel of ${node.name}`);
      const onHub = ['managedclustermodules', 'moduleimages', 'manifestworks'];
      const onSpoke = ['modules.kmm.sigs.x-k8s.io', 'appliedmanifestworks'];
      for (const [plane, kinds] of [
        [hub, onHub],
        [spoke, onSpoke],
      ] as const) {
        const names = await plane.kubectl(['get', kinds.join(','), '--all-namespaces', '--output=name']);
        left.push(
          ...names
            .split('\n')
            .filter(Boolean)
            .map((name) => `${name} on ${plane.name}`),
        );
      }
      const nmc = await read<NodeModulesConfig>(spoke, 'nodemodulesconfig', node.name);
      if ((nmc?.spec?.modules?.length ?? 0) + (nmc?.status?.modules?.length ?? 0) > 0) left.push('NodeModulesConfig');
      const labels = Object.keys((await read<Node>(spoke, 'node', node.name))?.metadata.labels ?? {});
      left.push(...labels.filter((label) => label.includes(MODULE)).map((label) => `label ${label}`));
      if (left.length > 0) throw new Unexpected(`still there: ${left.join(', ')}`);
      return true;
    },
    timeoutMs: limits.timeoutMs ?? 90_000,
    intervalMs: 300,
    signal: limits.signal,
  });
}
