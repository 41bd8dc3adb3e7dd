import {
  clusterInventory,
  configMap,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManifestWork,
  type Module,
  type ModuleImage,
  managedCluster,
  managedClusterModule,
  manifestWork,
  moduleImage,
  module as moduleResource,
  node,
  nodeModulesConfig,
  type Resource,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { CONFIG_MAP } from '../../fleet/fleet.ts';
import { foundIn, type Reading, readList, readObject } from '../readings.ts';
import { wantedKernels } from './image-steps.ts';
import type { Snapshot, SpokeSnapshot } from './snapshot.ts';

export type Question = { module: string; cluster: string /** Of the hub. */; namespace: string };

type Clients = { hub: KubeClient /** With a kubeconfig of the cluster. */; spoke?: KubeClient };

const modules = managedClusterModule as Resource<ManagedClusterModule>;

/** Reads what lies between module and cluster, each object by itself. @throws what keeps an API server from answering */
export async function readSnapshot(clients: Clients, question: Question, signal: AbortSignal): Promise<Snapshot> {
  const { hub, spoke } = clients;
  const { module, cluster } = question;
  const inCluster = { namespace: cluster };
  const [owner, managed, inventory, work] = await Promise.all([
    readObject(hub, { resource: modules, ref: { name: module } }, signal),
    readObject(hub, { resource: managedCluster as Resource<ManagedCluster>, ref: { name: cluster } }, signal),
    readObject(hub, { resource: clusterInventory, ref: { ...inCluster, name: cluster } }, signal),
    readObject(hub, { resource: manifestWork as Resource<ManifestWork>, ref: { ...inCluster, name: module } }, signal),
  ]);
  const base = {
    managedClusterModule: owner,
    managedCluster: managed,
    inventory,
    work,
    images: new Map(),
    configMaps: new Map(),
  };
  const snapshot: Snapshot = { ...question, now: new Date(), ...base };
  const found = foundIn(owner);
  if (found === undefined) return snapshot;
  const [images, configMaps, onSpoke] = await Promise.all([
    readImages(hub, { module: found, snapshot }, signal),
    readConfigMaps(hub, { module: found, snapshot }, signal),
    spoke && readSpoke(spoke, found, signal),
  ]);
  return { ...snapshot, images, configMaps, ...(onSpoke && { spoke: onSpoke }) };
}

type Known = { module: ManagedClusterModule; snapshot: Snapshot };

async function readImages(hub: KubeClient, { module, snapshot }: Known, signal: AbortSignal) {
  const targets = wantedKernels(module, snapshot).map(({ target }) => target);
  const names = [...new Set(targets.flatMap((target) => (target.kind === 'Target' ? target.name : [])))];
  const resource = moduleImage as Resource<ModuleImage>;
  return readAll(names, (name) => readObject(hub, { resource, ref: { name } }, signal));
}

/** What recipes are made of; a person who may not read it learns from the hub's words instead. */
async function readConfigMaps(hub: KubeClient, { module, snapshot }: Known, signal: AbortSignal) {
  const targets = wantedKernels(module, snapshot).map(({ target }) => target);
  const dockerfiles = targets.flatMap((target) =>
    target.kind === 'Target' ? (target.resolved.build?.dockerfileConfigMap?.name ?? []) : [],
  );
  const names = dockerfiles.length === 0 ? [] : [...new Set([CONFIG_MAP, ...dockerfiles])];
  const { namespace } = snapshot;
  return readAll(names, (name) => readObject(hub, { resource: configMap, ref: { namespace, name } }, signal));
}

async function readAll<T>(names: readonly string[], read: (name: string) => Promise<Reading<T>>) {
  return new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

async function readSpoke(
  spoke: KubeClient,
  { metadata, spec }: ManagedClusterModule,
  signal: AbortSignal,
): Promise<SpokeSnapshot> {
  const ref = { namespace: spec.spokeNamespace, name: metadata.name };
  const [module, nodes, configs] = await Promise.all([
    readObject(spoke, { resource: moduleResource as Resource<Module>, ref }, signal),
    readList(spoke, { resource: node, keep: (object) => object }, signal),
    readList(spoke, { resource: nodeModulesConfig, keep: (object) => object }, signal),
  ]);
  return { module, nodes, configs };
}
