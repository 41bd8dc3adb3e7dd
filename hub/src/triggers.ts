import type {
  ClusterInventory,
  ManagedCluster,
  ManagedClusterModule,
  ManifestWork,
  ModuleImage,
} from '@kmm-hub/api-types';
import { workKey } from './controllers/cluster-work/reconcile.ts';
import { moduleOfWork } from './controllers/cluster-work/stored-work.ts';
import type { Demand } from './fleet/demand.ts';
import { CONFIG_MAP, type Fleet } from './fleet/fleet.ts';
import { kernelsOfCluster } from './fleet/kernels.ts';

export type Triggers = {
  fleet: Fleet;
  demand: Demand;
  /** Adds a key of that controller's queue, after a delay if one is given. */
  recipes: (module: string) => void;
  images: (image: string) => void;
  works: (key: string, delayMs: number) => void;
  /** For what changed on one cluster; without one, for all that the module's status is of. */
  status: (module: string, cluster?: string) => void;
};

/** Images of a cluster that become ready together make one write of its work. */
const COALESCE_MS = 500;

/**
 * Which change concerns which key: an event adds the keys it touches, never the whole fleet. To be called once the
 * caches are filled; it begins with every object that is there.
 */
export function connectTriggers(triggers: Triggers): void {
  const { fleet, demand, images, works, status } = triggers;
  fleet.modules.onChange(({ key, old, current }) => {
    if (old && current && isStatusOnly(old, current)) return;
    const before = demand.lastClustersOf(key);
    touchModule(triggers, key);
    const selected = current === undefined ? [] : fleet.selectedClusters(current);
    const existing = fleet.works.byIndex('module', key).map(({ metadata }) => metadata.namespace ?? '');
    for (const cluster of new Set([...before, ...selected, ...existing])) works(workKey(key, cluster), 0);
  });
  fleet.clusters.onChange(({ key, old, current }) => {
    if (old && current && isSameForModules(old, current)) touchStatuses(triggers, key);
    else touchCluster(triggers, key);
  });
  fleet.inventories.onChange(({ old, current }) => {
    const cluster = (current ?? old)?.metadata.namespace;
    if (cluster !== undefined && partForModules(old) !== partForModules(current)) touchCluster(triggers, cluster);
  });
  fleet.images.onChange(({ key, old, current }) => {
    images(key);
    if (isSettledAlike(old, current)) return;
    for (const module of demand.wanters(key)) touchWorks(triggers, module, demand.clustersFor(module, key));
  });
  fleet.works.onChange(({ old, current }) => {
    const work = (current ?? old) as ManifestWork;
    const module = moduleOfWork(work);
    if (module === undefined) return;
    const cluster = work.metadata.namespace ?? '';
    status(module, cluster);
    if (!old || !current || isEdited(old, current)) works(workKey(module, cluster), 0);
  });
  fleet.configMaps.onChange(({ key, old, current }) => {
    if (JSON.stringify(old?.data) !== JSON.stringify(current?.data)) touchConfigMap(triggers, key.split('/')[1] ?? '');
  });
}

/** Something that the module's recipes depend on changed: they are planned again, once for a burst of changes. */
function touchModule({ demand, recipes, status }: Triggers, module: string): void {
  demand.touch(module);
  recipes(module);
  status(module);
}

/** A cluster that was selected counts too: its images may now be needed by nobody. */
function touchCluster({ fleet, demand, recipes, status, works }: Triggers, cluster: string): void {
  for (const module of fleet.modules.list()) {
    const { name } = module.metadata;
    const known = demand.lastSelected(name, cluster) || fleet.workOf(name, cluster) !== undefined;
    if (!known && !fleet.selects(module, cluster)) continue;
    demand.touchCluster(name, cluster);
    recipes(name);
    status(name, cluster);
    works(workKey(name, cluster), 0);
  }
}

function touchConfigMap(triggers: Triggers, name: string): void {
  for (const module of triggers.fleet.modules.list()) {
    // quoted: `dockerfile` is not found in `dockerfile-2`; a match too many only costs a look
    if (name !== CONFIG_MAP && !JSON.stringify(module.spec).includes(JSON.stringify(name))) continue;
    touchModule(triggers, module.metadata.name);
    touchWorks(triggers, module.metadata.name, triggers.fleet.selectedClusters(module));
  }
}

/** What that does to a cluster is told by the look at its work. */
function touchWorks({ fleet, demand, works }: Triggers, module: string, clusters: string[]): void {
  const waiting = demand.imagesOf(module).some((image) => !isPublished(fleet.images.get(image)));
  for (const cluster of clusters) works(workKey(module, cluster), waiting ? COALESCE_MS : 0);
}

function touchStatuses({ fleet, status }: Triggers, cluster: string): void {
  for (const { metadata } of fleet.modules.list()) {
    if (fleet.workOf(metadata.name, cluster) !== undefined) status(metadata.name, cluster);
  }
}

/** A write of our own status is no reason to look again. */
function isStatusOnly(old: ManagedClusterModule, current: ManagedClusterModule): boolean {
  return (
    old.metadata.uid === current.metadata.uid &&
    old.metadata.generation === current.metadata.generation &&
    old.metadata.deletionTimestamp === current.metadata.deletionTimestamp &&
    old.metadata.finalizers?.join() === current.metadata.finalizers?.join()
  );
}

function isSameForModules(old: ManagedCluster, current: ManagedCluster): boolean {
  const parts = [old, current].map((cluster) =>
    JSON.stringify([
      cluster.metadata.labels,
      cluster.metadata.deletionTimestamp,
      cluster.spec?.hubAcceptsClient,
      cluster.status?.version?.kubernetes,
      kernelsOfCluster(cluster, undefined),
    ]),
  );
  return parts[0] === parts[1];
}

/** Kernels and features; numbers and loaded modules change often and concern no recipe. */
function partForModules(inventory: ClusterInventory | undefined): string {
  const { kernelVersions, groups = [] } = inventory?.spec ?? {};
  const parts = groups.map(({ kernelVersion, architecture, features }) => [kernelVersion, architecture, features]);
  return JSON.stringify([kernelVersions, parts]);
}

function isPublished(image: ModuleImage | undefined): boolean {
  return image?.status?.phase === 'Published';
}

function isSettledAlike(old: ModuleImage | undefined, current: ModuleImage | undefined): boolean {
  const parts = [old, current].map((image) => {
    const { phase, digest, recipeKey, conditions } = image?.status ?? {};
    return JSON.stringify([phase, digest, recipeKey, conditions?.map(({ reason, message }) => [reason, message])]);
  });
  return parts[0] === parts[1];
}

/** Spec, labels or annotations changed; our own writes are no edits in effect, but looking again costs no request. */
function isEdited(old: ManifestWork, current: ManifestWork): boolean {
  const parts = [old, current].map(({ metadata }) =>
    JSON.stringify([metadata.generation, metadata.labels, metadata.annotations, metadata.deletionTimestamp]),
  );
  return parts[0] !== parts[1];
}
