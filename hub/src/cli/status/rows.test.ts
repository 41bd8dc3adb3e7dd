import type { Condition, ManagedClusterModule, ManifestWork, ModuleImage } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { moduleImageName } from '../../fleet/recipe.ts';
import { clusterOn, imageWith, inventoryWith, moduleWith, onKubernetes } from '../../test-objects.fixture.ts';
import { tableText } from '../output/table.ts';
import { CLUSTER_HEAD, clusterCells, clusterRows, type FleetView } from './cluster-rows.ts';
import { FLEET_HEAD, fleetCells, fleetRows } from './fleet-rows.ts';

const KERNEL = '6.1.0-53-amd64';
const now = new Date('2026-01-01T00:00:42Z');
const lastTransitionTime = '2026-01-01T00:00:00Z';
const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  ...{ type, status, reason, message: `${reason} it is`, lastTransitionTime, observedGeneration: 1 },
});
const plain = (_style: string, text: string) => text;

const withStatus = (module: ManagedClusterModule, status: ManagedClusterModule['status']): ManagedClusterModule => ({
  ...module,
  status: { observedGeneration: 1, ...status },
});
const available = (reason: string) => ({
  conditions: [condition('Available', reason === 'Loaded' ? 'True' : 'False', reason)],
});

/** The ModuleImage for `nic` and a kernel. */
function imageFor(
  phase: NonNullable<ModuleImage['status']>['phase'],
  kernel = KERNEL,
  reason: string = phase,
): ModuleImage {
  const image = `r.example/nic:${kernel.replace('+', '_')}`;
  const base = imageWith(moduleImageName(image), 'k', {
    phase,
    conditions: [condition('Ready', 'False', reason)],
  });
  return { ...base, spec: { ...base.spec, image, kernelVersion: kernel } };
}

function fleetTable(modules: ManagedClusterModule[], images?: ModuleImage[]): string[] {
  const cells = fleetRows(modules, images).map((row) => fleetCells(row, now));
  return tableText(FLEET_HEAD, cells, plain).trimEnd().split('\n');
}

test('the fleet is one row a module, the worst first', () => {
  const modules = [
    withStatus(moduleWith({ name: 'done' }), {
      ...{ numberSelected: 2, numberApplied: 2, numberAvailable: 2, nodesDesired: 4, nodesAvailable: 4 },
      ...available('Loaded'),
    }),
    withStatus(moduleWith({ name: 'young' }), { observedGeneration: 0 }),
    withStatus(moduleWith({ name: 'nic' }), {
      ...{
        numberSelected: 3,
        numberApplied: 2,
        numberAvailable: 1,
        numberDegraded: 1,
        nodesDesired: 5,
        nodesAvailable: 2,
      },
      ...available('BuildFailed'),
    }),
  ];
  expect(
    fleetTable(modules, [imageFor('Published'), imageFor('Failed', '6.12.9+deb12-amd64'), imageFor('Published', 'x')]),
  ).toEqual([
    'NAME   CLUSTERS  APPLIED  AVAILABLE  DEGRADED  NODES  IMAGES  AGE  REASON',
    'nic    3         2        1          1         2/5    1/2     42s  BuildFailed',
    'young  0         0        0          0         0/0    0/0     42s  NotSeenYet',
    'done   2         2        2          0         4/4    0/0     42s  Loaded',
  ]);
});

test('images that may not be read are told as unknown', () => {
  expect(fleetTable([moduleWith()])[1]).toMatch(/^nic .* 0\/0 +\? +42s/);
});

type WorkParts = { applied?: Condition; feedback?: Record<string, number | string>; deleted?: boolean };
function workOn(cluster: string, { applied, feedback = {}, deleted = false }: WorkParts = {}): ManifestWork {
  const values = Object.entries(feedback).map(([name, value]) => ({
    name,
    fieldValue:
      typeof value === 'number'
        ? { type: 'Integer' as const, integer: value }
        : { type: 'String' as const, string: value },
  }));
  const deletion = deleted ? { deletionTimestamp: lastTransitionTime } : {};
  return {
    metadata: {
      name: 'nic',
      namespace: cluster,
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:12Z',
      ...deletion,
    },
    spec: {},
    status: {
      ...(applied && { conditions: [applied] }),
      resourceStatus: { manifests: [{ resourceMeta: { ordinal: 0 }, statusFeedback: { values } }] },
    },
  };
}
const applied = condition('Applied', 'True', 'Done');
const nodes = (loaded: number, wanted: number) => ({
  'moduleLoader.desiredNumber': wanted,
  'moduleLoader.availableNumber': loaded,
});

function clusterTable(
  parts: Partial<Omit<FleetView, 'works' | 'images'>> & { works?: ManifestWork[]; images?: ModuleImage[] },
): string[] {
  const view: FleetView = {
    module: moduleWith(),
    clusters: [],
    inventories: new Map(),
    ...parts,
    works: new Map((parts.works ?? []).map((work) => [work.metadata.namespace ?? '', work])),
    images: parts.images && new Map(parts.images.map((image) => [image.metadata.name, image])),
  };
  return tableText(
    CLUSTER_HEAD,
    clusterRows(view).map((row) => clusterCells(row, now)),
    plain,
  )
    .trimEnd()
    .split('\n');
}

test('a module is one row a cluster, the worst first, then by name', () => {
  const table = clusterTable({
    clusters: ['done', 'broken', 'loading', 'also-broken'].map((name) => clusterOn(name, [KERNEL])),
    works: [
      workOn('done', { applied, feedback: nodes(2, 2) }),
      workOn('loading', { applied, feedback: nodes(1, 2) }),
      workOn('broken', {
        applied,
        feedback: { ...nodes(0, 1), 'degraded.reason': 'ModuleSignatureRejected', 'degraded.message': 'x' },
      }),
      workOn('also-broken', { applied: condition('Applied', 'False', 'No') }),
    ],
    images: [imageFor('Published')],
  });
  expect(table).toEqual([
    'CLUSTER      KERNELS         IMAGE      WORK     NODES  STATE        REASON                   AGE',
    'also-broken  6.1.0-53-amd64  Published  Refused  0/0    Degraded     WorkNotApplied           30s',
    'broken       6.1.0-53-amd64  Published  Applied  0/1    Degraded     ModuleSignatureRejected  30s',
    'loading      6.1.0-53-amd64  Published  Applied  1/2    Progressing  NodesLoading             30s',
    'done         6.1.0-53-amd64  Published  Applied  2/2    Available    Loaded                   30s',
  ]);
});

const one = [clusterOn('c1', [KERNEL])];
test.each<[string, Parameters<typeof clusterTable>[0], string]>([
  [
    'an image that is being built',
    { clusters: one, images: [imageFor('Building')] },
    'c1 6.1.0-53-amd64 Building Missing 0/0 Progressing ImagesPending -',
  ],
  [
    'an image that failed',
    { clusters: one, images: [imageFor('Failed', KERNEL, 'BuildFailed')] },
    'c1 6.1.0-53-amd64 Failed Missing 0/0 Degraded BuildFailed -',
  ],
  [
    'an image that nobody asked for yet',
    { clusters: one, images: [] },
    'c1 6.1.0-53-amd64 NotAsked Missing 0/0 Progressing ImagesPending -',
  ],
  [
    'an image that cannot be asked for, of which the hub tells on another cluster',
    {
      clusters: one,
      images: [],
      module: withStatus(moduleWith(), { conditions: [condition('Degraded', 'True', 'DockerfileNotFound')] }),
    },
    'c1 6.1.0-53-amd64 NotAsked Missing 0/0 Degraded DockerfileNotFound -',
  ],
  [
    'a cluster that is too old for the module',
    {
      clusters: [onKubernetes('v1.33.4', clusterOn('c1', [KERNEL]))],
      images: [],
      module: moduleWith({ dra: true }),
    },
    'c1 6.1.0-53-amd64 NotAsked Missing 0/0 Degraded ClusterTooOld -',
  ],
  ['no kernel', { clusters: [clusterOn('c1', [])], images: [] }, 'c1 - - Missing 0/0 Progressing NoKernels -'],
  [
    'a kernel without a mapping',
    {
      clusters: one,
      images: [],
      module: moduleWith({ container: { kernelMappings: [{ literal: 'x', containerImage: 'a:b' }] } }),
    },
    'c1 6.1.0-53-amd64 Unmapped Missing 0/0 Degraded NoKernelMapping -',
  ],
  [
    'a template that cannot be filled in',
    {
      clusters: one,
      images: [],
      module: moduleWith({ container: { kernelMappings: [{ regexp: '.', containerImage: 'no-tag' }] } }),
    },
    'c1 6.1.0-53-amd64 Wrong Missing 0/0 Degraded ImageWithoutTag -',
  ],
  [
    'images that may not be read',
    { clusters: one, works: [workOn('c1', { applied, feedback: nodes(1, 1) })] },
    'c1 6.1.0-53-amd64 - Applied 1/1 Available Loaded 30s',
  ],
  [
    'a module without a loader',
    {
      clusters: one,
      images: [],
      works: [workOn('c1', { applied })],
      module: moduleWith({ spec: { moduleSpec: { selector: {} } } }),
    },
    'c1 6.1.0-53-amd64 - Applied 0/0 Available Loaded 30s',
  ],
  [
    'several kernels, of which one is left behind',
    {
      clusters: [clusterOn('c1', [KERNEL, '6.12.9+'])],
      images: [imageFor('Published'), imageFor('Signing', '6.12.9')],
    },
    'c1 6.1.0-53-amd64 +1 Signing Missing 0/0 Progressing ImagesPending -',
  ],
  [
    'kernels that only the inventory lists',
    {
      clusters: [clusterOn('c1', [])],
      images: [imageFor('Pending')],
      inventories: new Map([['c1', inventoryWith({ kernelVersions: [KERNEL] })]]),
    },
    'c1 6.1.0-53-amd64 Pending Missing 0/0 Progressing ImagesPending -',
  ],
  [
    'a work that the cluster has not taken over',
    { clusters: one, images: [imageFor('Published')], works: [workOn('c1')] },
    'c1 6.1.0-53-amd64 Published Applying 0/0 Progressing WorkApplying 30s',
  ],
  [
    'a cluster that was deselected and still has its work',
    { clusters: [], images: [], works: [workOn('c1', { deleted: true, feedback: nodes(1, 1) })] },
    'c1 - - Removing 1/1 Removing Removing 30s',
  ],
])('%s shows', (_what, view, row) => {
  expect(
    clusterTable(view)
      .slice(1)
      .map((line) => line.replace(/ +/g, ' ')),
  ).toEqual([row]);
});

test('a cluster that is neither selected nor has a work is not shown', () => {
  const module = moduleWith({ spec: { selector: { site: 'a' } } });
  expect(clusterTable({ module, clusters: one, images: [] }).length).toBe(1);
});
