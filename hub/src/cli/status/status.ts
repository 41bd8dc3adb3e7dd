import {
  type ClusterInventory,
  clusterInventory,
  type LabelSelector,
  MANAGED_CLUSTER_MODULE_LABEL,
  type ManagedCluster,
  type ManagedClusterModule,
  type ManagedClusterModuleSpec,
  type ManifestWork,
  type ModuleImage,
  managedCluster,
  managedClusterModule,
  manifestWork,
  moduleImage,
  type Resource,
} from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import type { CliContext, GlobalFlags } from '../context.ts';
import { UnknownNameError } from '../errors.ts';
import { print } from '../output/print.ts';
import { tableText } from '../output/table.ts';
import { foundIn, type Reading, readList, readObject, required } from '../readings.ts';
import { CLUSTER_HEAD, type ClusterRow, clusterCells, clusterRows, type FleetView } from './cluster-rows.ts';
import { FLEET_HEAD, fleetCells, fleetRows } from './fleet-rows.ts';

export type StatusFlags = GlobalFlags & { limit: number };

const modules = managedClusterModule as Resource<ManagedClusterModule>;
const images = moduleImage as Resource<ModuleImage>;
const works = manifestWork as Resource<ManifestWork>;

/** Prints the fleet: one row a module. @throws NoRightError */
export async function fleetStatus(context: CliContext, flags: StatusFlags): Promise<void> {
  const { signal, now } = context;
  const { client } = await context.connect(flags);
  const [found, own] = await Promise.all([
    readList(client, { resource: modules, keep: lean }, signal),
    readList(client, { resource: images, keep: lean }, signal),
  ]);
  const list = required(found);
  if (list === undefined)
    throw new UnknownNameError('the API server has no ManagedClusterModules', 'See that --context is that of a hub.');
  noteMissing(context, own);
  const rows = fleetRows(list, foundIn(own));
  if (rows.length === 0 && isForPeople(flags)) return context.note('No ManagedClusterModules found.\n');
  print(context, flags.output, {
    value: { items: rows },
    text: () => {
      const shown = rows.slice(0, flags.limit);
      const wide = flags.output === 'wide';
      const head = wide ? [...FLEET_HEAD, 'MESSAGE'] : FLEET_HEAD;
      const cells = shown.map((row) => [...fleetCells(row, now()), ...(wide ? [shortened(row.message)] : [])]);
      return `${tableText(head, cells, context.paint)}${moreText(rows.length - shown.length)}`;
    },
  });
}

/** Prints one module: one row a cluster. @throws NoRightError, UnknownNameError */
export async function moduleStatus(context: CliContext, name: string, flags: StatusFlags): Promise<void> {
  const { client } = await context.connect(flags);
  const module = required(await readObject(client, { resource: modules, ref: { name } }, context.signal));
  if (module === undefined) {
    throw new UnknownNameError(
      `ManagedClusterModule "${name}" does not exist`,
      'See the names with `kubectl kmm status`.',
    );
  }
  const rows = clusterRows(await readFleet(context, client, module));
  if (rows.length === 0 && isForPeople(flags)) {
    return context.note(
      `${name} selects no cluster and none has it; see with \`kubectl kmm why ${name} CLUSTER\` why one is not selected.\n`,
    );
  }
  print(context, flags.output, {
    value: { module: name, items: rows },
    text: () => clusterTable(context, rows, flags),
  });
}

function clusterTable({ paint, now }: CliContext, rows: ClusterRow[], { output, limit }: StatusFlags): string {
  const shown = rows.slice(0, limit);
  const wide = output === 'wide';
  const head = wide ? [...CLUSTER_HEAD, 'ALL KERNELS', 'MESSAGE'] : CLUSTER_HEAD;
  const cells = shown.map((row) => [
    ...clusterCells(row, now()),
    ...(wide ? [row.kernels.join(','), shortened(row.message)] : []),
  ]);
  return `${tableText(head, cells, paint)}${moreText(rows.length - shown.length)}`;
}

/** A large fleet is read in pages, and only clusters that the labels select. */
async function readFleet(context: CliContext, client: KubeClient, module: ManagedClusterModule): Promise<FleetView> {
  const { signal } = context;
  const { spec, metadata } = module;
  const ofModule = { labelSelector: `${MANAGED_CLUSTER_MODULE_LABEL}=${metadata.name}` };
  const labelSelector = labelSelectorOf(spec);
  const [clusters, own, inventories, found] = await Promise.all([
    readList(
      client,
      {
        resource: managedCluster as Resource<ManagedCluster>,
        select: { ...(labelSelector && { labelSelector }) },
        keep: lean,
      },
      signal,
    ),
    readList(client, { resource: works, select: ofModule, keep: withoutSpec }, signal),
    readList(client, { resource: clusterInventory, keep: withoutNodes }, signal),
    readList(client, { resource: images, keep: lean }, signal),
  ]);
  for (const reading of [inventories, found]) noteMissing(context, reading);
  return {
    module,
    clusters: required(clusters) ?? [],
    works: new Map((required(own) ?? []).map((work) => [work.metadata.namespace ?? '', work])),
    inventories: new Map(
      (foundIn(inventories) ?? []).map((inventory) => [inventory.metadata.namespace ?? '', inventory]),
    ),
    images: found.kind === 'found' ? new Map(found.value.map((image) => [image.metadata.name, image])) : undefined,
  };
}

function noteMissing({ note }: CliContext, reading: Reading<unknown>): void {
  if (reading.kind === 'forbidden') note(`You may not ${reading.right}: what follows from it is left out.\n`);
}

function isForPeople({ output }: GlobalFlags): boolean {
  return output === 'table' || output === 'wide';
}

/** Of a message its beginning: a build's holds twenty lines. `why` and json show all of it. */
const MESSAGE_CHARACTERS = 160;

function shortened(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line.length > MESSAGE_CHARACTERS ? `${line.slice(0, MESSAGE_CHARACTERS)}…` : line;
}

function moreText(more: number): string {
  return more > 0 ? `… and ${more} more; --limit shows more of them\n` : '';
}

/** The form of a query, e.g. "site=a,gpu in (a,b),!old"; '' when the module selects by no labels. */
export function labelSelectorOf({ selector = {}, clusterSelector = {} }: ManagedClusterModuleSpec): string {
  const { matchLabels = {}, matchExpressions = [] }: LabelSelector = clusterSelector;
  const equal = [...Object.entries(selector), ...Object.entries(matchLabels)].map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...equal, ...expressions].join(',');
}

/** managedFields are a third of an object. */
function lean<T extends { metadata: { managedFields?: unknown[] } }>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as T;
}

function withoutSpec(work: ManifestWork): ManifestWork {
  return { ...lean(work), spec: {} };
}

/** Features select clusters; names, zones and modules of nodes are not looked at. */
function withoutNodes(inventory: ClusterInventory): ClusterInventory {
  const { spec } = inventory;
  if (spec === undefined) return lean(inventory);
  const groups = spec.groups.map(({ nodes: _nodes, zones: _zones, modules: _modules, ...group }) => ({
    ...group,
    nodes: [],
  }));
  return { ...lean(inventory), spec: { ...spec, groups } };
}
