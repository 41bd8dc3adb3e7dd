import type {
  Condition,
  ConfigMap,
  ManagedClusterModule,
  ManifestWork,
  Module,
  ModuleImage,
  ModuleImageStatus,
  Node,
  NodeModulesConfig,
} from '@kmm-hub/api-types';
import { MANAGED_CLUSTER_MODULE_LABEL, readyLabel } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { manifestWorkFor } from '../../controllers/cluster-work/manifest-work.ts';
import { CONFIG_MAP } from '../../fleet/fleet.ts';
import { moduleImageName, planRecipe } from '../../fleet/recipe.ts';
import { clusterOn, dockerfileWith, inventoryWith, moduleWith, onKubernetes } from '../../test-objects.fixture.ts';
import { absent, found, type Reading } from '../readings.ts';
import { planExplanation } from './explanation.ts';
import { explanationText } from './print.ts';
import type { Snapshot, SpokeSnapshot } from './snapshot.ts';
import { firstNotRight, type Step } from './step.ts';

const KERNEL = '6.1.0-53-amd64';
const OTHER = '6.12.9+deb12-amd64';
const lastTransitionTime = '2026-01-01T00:00:00Z';
const digest = `sha256:${'a'.repeat(64)}`;
const forbidden = (right: string) => ({ kind: 'forbidden', right }) as const;
const condition = (type: string, status: Condition['status'], parts: Partial<Condition> = {}): Condition => ({
  ...{ type, status, reason: 'Because', message: 'it is so', lastTransitionTime, observedGeneration: 1 },
  ...parts,
});

const DOCKERFILE = dockerfileWith('FROM scratch');
const TARGET = `r.example/nic:${KERNEL}`;
const IMAGE = moduleImageName(TARGET);
const base = moduleWith({ spec: { selector: { site: 'a' } } });
const OWNER: ManagedClusterModule = { ...base, status: { observedGeneration: 1 } };

const configMapsOf = (...maps: ConfigMap[]) =>
  new Map<string, Reading<ConfigMap>>(maps.map((map) => [map.metadata.name, found(map)]));

function image(status: Partial<ModuleImageStatus>, ready?: Partial<Condition>): Reading<ModuleImage> {
  const plan = planRecipe({
    module: OWNER,
    kernel: KERNEL as never,
    architecture: 'amd64',
    configMap: () => DOCKERFILE,
    catalogue: [],
  });
  if (plan.kind !== 'Recipe') throw new Error('the fixture has no recipe');
  const { recipeKey } = plan.spec;
  const conditions = ready && [condition('Ready', 'False', ready)];
  return found({
    metadata: { name: IMAGE },
    spec: plan.spec,
    status: { phase: 'Published', recipeKey, digest, ...status, ...(conditions && { conditions }) },
  });
}
const images = (reading: Reading<ModuleImage>) => new Map([[IMAGE, reading]]);

type Values = Record<string, number | string>;
const loaded: Values = {
  generation: 1,
  observedGeneration: 1,
  'moduleLoader.nodesMatchingSelectorNumber': 2,
  'moduleLoader.desiredNumber': 2,
  'moduleLoader.availableNumber': 2,
};
const taken = [condition('Applied', 'True'), condition('Available', 'True')];

function work(conditions: Condition[] | undefined, values: Values = {}): ManifestWork {
  const literals = new Map([[KERNEL, { reference: `r.example/nic@${digest}`, tag: TARGET }]]);
  const made = manifestWorkFor(OWNER, 'c1', literals);
  const fedBack = Object.entries(values).map(([name, value]) => ({
    name,
    fieldValue:
      typeof value === 'number'
        ? { type: 'Integer' as const, integer: value }
        : { type: 'String' as const, string: value },
  }));
  const manifests = [
    { resourceMeta: { ordinal: 0 }, conditions: conditions ?? [], statusFeedback: { values: fedBack } },
  ];
  return {
    ...made,
    metadata: { ...made.metadata, generation: 1 },
    status: { ...(conditions && { conditions }), resourceStatus: { manifests } },
  };
}
const without = ({ metadata, ...rest }: ManifestWork, change: Partial<ManifestWork['metadata']>): ManifestWork => ({
  ...rest,
  metadata: { ...metadata, ...change },
});

const inventory = (state = 'Loaded', count = 2) =>
  found(
    inventoryWith({
      kernelVersions: [KERNEL],
      nodeCount: 2,
      groups: [
        {
          ...{ kernelVersion: KERNEL, architecture: 'amd64', count: 2, nodes: ['n1', 'n2'], features: {} },
          modules: [{ name: 'drivers/nic', state, count }],
        },
      ],
    }),
  );
const cluster = clusterOn('c1', [KERNEL], { site: 'a' });
const heard = (status: Condition['status'], message = 'it is so') => ({
  ...cluster,
  status: { ...cluster.status, conditions: [condition('ManagedClusterConditionAvailable', status, { message })] },
});

/** Everything is right, but for what a case changes. */
function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    ...{ module: 'nic', cluster: 'c1', namespace: 'openshift-kmm-hub', now: new Date(lastTransitionTime) },
    managedClusterModule: found(OWNER),
    managedCluster: found(heard('True')),
    inventory: inventory(),
    images: images(image({})),
    configMaps: configMapsOf(DOCKERFILE),
    work: found(work(taken, loaded)),
    ...parts,
  };
}
const ownerWith = (parts: Partial<ManagedClusterModule>) => found<ManagedClusterModule>({ ...OWNER, ...parts });
const specWith = (spec: Partial<ManagedClusterModule['spec']>) => ownerWith({ spec: { ...OWNER.spec, ...spec } });
const mapping = (kernelMappings: { literal?: string; regexp?: string; containerImage: string }[]) => {
  const { spec } = moduleWith({ spec: { selector: { site: 'a' } }, container: { kernelMappings } });
  return ownerWith({ spec });
};

const withDra = ownerWith({ spec: moduleWith({ spec: { selector: { site: 'a' } }, dra: true }).spec });

const node = (name: string, parts: { labels?: Record<string, string> } = {}): Node => ({
  metadata: { name, labels: { 'has-nic': 'yes', ...parts.labels } },
  status: { nodeInfo: { kernelVersion: KERNEL, bootID: 'b', architecture: 'amd64', osImage: 'Debian' } },
});
const ready = { labels: { [readyLabel('drivers', 'nic')]: '' } };
const entry = {
  ...{ name: 'nic', namespace: 'drivers', serviceAccountName: 'default' },
  config: {
    kernelVersion: KERNEL,
    containerImage: `r.example/nic@${digest}`,
    insecurePull: false,
    modprobe: { moduleName: 'nic' },
  },
};
type NodeError = { reason: string; message: string; nextAttempt?: string };
const config = (name: string, error?: NodeError): NodeModulesConfig => ({
  metadata: { name },
  spec: { modules: [entry] },
  status: { modules: [{ ...entry, ...(error && { error }) }] },
});
const spokeModule: Module = {
  metadata: { name: 'nic', namespace: 'drivers', generation: 1 },
  spec: { selector: {} },
  status: { observedGeneration: 1 },
};
const spoke = (parts: Partial<SpokeSnapshot> = {}): { spoke: SpokeSnapshot } => ({
  spoke: {
    module: found(spokeModule),
    nodes: found([node('n1', ready), node('n2', ready), node('other', { labels: { 'has-nic': 'no' } })]),
    configs: found([config('n1'), config('n2')]),
    ...parts,
  },
});

const buildFailed = {
  reason: 'BuildFailed',
  message:
    'a step of the Dockerfile failed. Read the last lines.\nhello.c:3: error: expected ;\n\u001b[31mmake: *** [all] Error 1',
};
const hubSays = (reason: string, message: string) =>
  ownerWith({ status: { observedGeneration: 1, worstClusters: [{ name: 'c1', reason, message }] } });
const NO_MAPS = new Map([['dockerfile', forbidden('get configmaps in namespace openshift-kmm-hub')]]);

/** Every place where the way can break; the golden file shows what a person reads. */
const CASES: [string, Snapshot][] = [
  ['everything is right', snapshot()],
  ['no such module', snapshot({ managedClusterModule: absent })],
  [
    'the module may not be read',
    snapshot({ managedClusterModule: forbidden('get managedclustermodules.hub.kmm.sigs.x-k8s.io') }),
  ],
  [
    'the hub has not seen the module',
    snapshot({ managedClusterModule: ownerWith({ status: {} }), images: new Map(), work: absent }),
  ],
  [
    'the module is being deleted',
    snapshot({
      managedClusterModule: ownerWith({
        metadata: { ...OWNER.metadata, deletionTimestamp: lastTransitionTime },
        status: {
          conditions: [
            condition('Available', 'False', { reason: 'Removing', message: 'waits for c1 to unload the module' }),
          ],
        },
      }),
      work: found(without(work(taken, loaded), { deletionTimestamp: lastTransitionTime })),
    }),
  ],
  ['no such cluster', snapshot({ managedCluster: absent, work: absent })],
  [
    'the cluster may not be read',
    snapshot({ managedCluster: forbidden('get managedclusters.cluster.open-cluster-management.io') }),
  ],
  [
    'the cluster is not accepted',
    snapshot({ managedCluster: found({ ...cluster, spec: { hubAcceptsClient: false } }), work: absent }),
  ],
  [
    'the cluster is leaving',
    snapshot({
      managedCluster: found({ ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: lastTransitionTime } }),
    }),
  ],
  [
    'the hub does not hear of the cluster',
    snapshot({ managedCluster: found(heard('Unknown', 'Registration agent stopped updating its lease.')) }),
  ],
  [
    'a label of the cluster is another one',
    snapshot({ managedCluster: found(clusterOn('c1', [KERNEL], { site: 'b' })), work: absent }),
  ],
  [
    'the cluster selector does not match',
    snapshot({ managedClusterModule: specWith({ clusterSelector: { matchLabels: { gpu: 'yes' } } }), work: absent }),
  ],
  [
    'the cluster does not have the features',
    snapshot({
      managedClusterModule: specWith({ featureSelector: { matchLabels: { 'pci-10de.present': 'true' } } }),
      work: absent,
    }),
  ],
  [
    'the features of the cluster are not known',
    snapshot({
      managedClusterModule: specWith({ featureSelector: { matchLabels: { a: 'b' } } }),
      inventory: absent,
      work: absent,
      images: new Map(),
    }),
  ],
  [
    'placements are not evaluated',
    snapshot({ managedClusterModule: specWith({ placementRefs: [{ namespace: 'a', name: 'b' }] }), work: absent }),
  ],
  [
    'a deselected cluster still has the module',
    snapshot({
      managedCluster: found(clusterOn('c1', [KERNEL], { site: 'b' })),
      work: found(without(work(taken, loaded), { deletionTimestamp: lastTransitionTime })),
    }),
  ],
  [
    'the cluster is too old for the module',
    snapshot({ managedClusterModule: withDra, managedCluster: found(onKubernetes('v1.33.4', cluster)), work: absent }),
  ],
  [
    'a cluster that is too old for the module as it is now keeps what it has',
    snapshot({ managedClusterModule: withDra, managedCluster: found(onKubernetes('v1.33.4', cluster)) }),
  ],
  [
    'no kernel is reported',
    snapshot({
      managedCluster: found(clusterOn('c1', [], { site: 'a' })),
      inventory: absent,
      images: new Map(),
      work: absent,
    }),
  ],
  [
    'the inventory may not be read',
    snapshot({ inventory: forbidden('get clusterinventories.hub.kmm.sigs.x-k8s.io in namespace c1') }),
  ],
  [
    'nothing of the cluster may be read',
    snapshot({
      managedCluster: forbidden('get managedclusters.cluster.open-cluster-management.io'),
      inventory: forbidden('get clusterinventories.hub.kmm.sigs.x-k8s.io in namespace c1'),
      work: forbidden('get manifestworks.work.open-cluster-management.io in namespace c1'),
      images: new Map(),
    }),
  ],
  [
    'no mapping for the kernel',
    snapshot({
      managedClusterModule: mapping([{ literal: OTHER, containerImage: 'r.example/nic:1' }]),
      work: absent,
      images: new Map(),
    }),
  ],
  [
    'no mapping for one of the kernels',
    snapshot({
      managedClusterModule: mapping([{ literal: KERNEL, containerImage: TARGET }]),
      managedCluster: found(clusterOn('c1', [KERNEL, OTHER], { site: 'a' })),
    }),
  ],
  [
    'a template that cannot be filled in',
    snapshot({
      managedClusterModule: mapping([{ regexp: '.', containerImage: 'no-tag' }]),
      work: absent,
      images: new Map(),
    }),
  ],
  [
    'the Dockerfile is missing',
    snapshot({ configMaps: new Map([['dockerfile', absent]]), images: images(absent), work: absent }),
  ],
  [
    'the toolkit is missing',
    snapshot({
      configMaps: configMapsOf(dockerfileWith('ARG DTK_AUTO\nFROM ${DTK_AUTO}')),
      images: images(absent),
      work: absent,
    }),
  ],
  [
    'the image is not asked for, and the hub says why',
    snapshot({
      managedClusterModule: hubSays('DockerfileNotFound', 'kernel 6.1: the Dockerfile cannot be read'),
      configMaps: NO_MAPS,
      images: images(absent),
      work: absent,
    }),
  ],
  [
    'the image is not asked for, and nobody says why',
    snapshot({ configMaps: NO_MAPS, images: images(absent), work: absent }),
  ],
  [
    'the image may not be read',
    snapshot({ images: images(forbidden('get moduleimages.hub.kmm.sigs.x-k8s.io')), work: absent }),
  ],
  [
    'another module wants the image by another recipe',
    snapshot({
      managedClusterModule: hubSays('RecipeConflict', 'r.example/nic:1 is wanted with another recipe by gpu'),
      configMaps: configMapsOf(dockerfileWith('FROM other')),
      work: absent,
    }),
  ],
  ['the image waits for a worker', snapshot({ images: images(image({ phase: 'Pending' })), work: absent })],
  [
    'the image is being built',
    snapshot({ images: images(image({ phase: 'Building' }, { message: 'a worker builds it' })), work: absent }),
  ],
  ['the image is being made after a new recipe', snapshot({ images: images(image({ recipeKey: 'b'.repeat(64) })) })],
  [
    'the build failed',
    snapshot({
      images: images(image({ phase: 'Failed', nextAttempt: '2026-01-01T00:10:00Z' }, buildFailed)),
      work: absent,
    }),
  ],
  [
    'the image is in no registry',
    snapshot({
      images: images(
        image(
          { phase: 'Missing' },
          { reason: 'ImageNotFound', message: 'image r.example/nic:1 is not in its registry' },
        ),
      ),
      work: absent,
    }),
  ],
  ['the work is not written', snapshot({ work: absent })],
  [
    'the work may not be read',
    snapshot({ work: forbidden('get manifestworks.work.open-cluster-management.io in namespace c1') }),
  ],
  [
    'the work is somebody else’s',
    snapshot({ work: found(without(work(taken), { labels: { [MANAGED_CLUSTER_MODULE_LABEL]: 'other' } })) }),
  ],
  [
    'the work is being deleted',
    snapshot({ work: found(without(work(taken, loaded), { deletionTimestamp: lastTransitionTime })) }),
  ],
  ['the work names an old image', snapshot({ images: images(image({ digest: `sha256:${'b'.repeat(64)}` })) })],
  ['the work is not taken over', snapshot({ work: found(work(undefined)) })],
  [
    'an older generation of the work is taken over',
    snapshot({ work: found(without(work(taken, loaded), { generation: 2 })) }),
  ],
  [
    'the cluster refuses the work',
    snapshot({ work: found(work([condition('Applied', 'False', { message: 'namespaces "drivers" not found' })])) }),
  ],
  [
    'the Module is gone from the cluster',
    snapshot({
      work: found(
        work([condition('Applied', 'True'), condition('Available', 'False', { message: 'not found' })], loaded),
      ),
    }),
  ],
  ['nothing is fed back', snapshot({ work: found(work(taken)) })],
  ['what is fed back is of an older generation', snapshot({ work: found(work(taken, { ...loaded, generation: 3 })) })],
  [
    'a node refuses the module',
    snapshot({
      work: found(
        work(taken, {
          ...loaded,
          'moduleLoader.availableNumber': 1,
          'degraded.reason': 'ModuleSignatureRejected',
          'degraded.message': 'n2: Key was rejected by service. Enrol the certificate.',
        }),
      ),
      inventory: inventory('ModuleSignatureRejected', 1),
    }),
  ],
  [
    'the nodes are loading',
    snapshot({
      work: found(work(taken, { ...loaded, 'moduleLoader.availableNumber': 1 })),
      inventory: inventory('Pending', 1),
    }),
  ],
  [
    'no node is selected',
    snapshot({
      work: found(
        work(taken, {
          generation: 1,
          observedGeneration: 1,
          'moduleLoader.nodesMatchingSelectorNumber': 0,
          'moduleLoader.desiredNumber': 0,
        }),
      ),
    }),
  ],
  [
    'selected nodes are not to have it',
    snapshot({
      work: found(
        work(taken, {
          generation: 1,
          observedGeneration: 1,
          'moduleLoader.nodesMatchingSelectorNumber': 2,
          'moduleLoader.desiredNumber': 0,
        }),
      ),
    }),
  ],
  [
    'a module without a loader',
    snapshot({
      managedClusterModule: specWith({ moduleSpec: { selector: {} } }),
      images: new Map(),
      work: found(work(taken, { generation: 1, observedGeneration: 1 })),
    }),
  ],
  ['the cluster itself: everything is right', snapshot(spoke())],
  ['the cluster itself: the Module is not there', snapshot(spoke({ module: absent }))],
  [
    'the cluster itself: the Module is being deleted',
    snapshot(
      spoke({
        module: found({ ...spokeModule, metadata: { ...spokeModule.metadata, deletionTimestamp: lastTransitionTime } }),
      }),
    ),
  ],
  ['the cluster itself: the cluster agent is away', snapshot(spoke({ module: found({ ...spokeModule, status: {} }) }))],
  [
    'the cluster itself: the Module may not be read',
    snapshot(spoke({ module: forbidden('get modules.kmm.sigs.x-k8s.io in namespace drivers') })),
  ],
  ['the cluster itself: nodes may not be read', snapshot(spoke({ nodes: forbidden('list nodes') }))],
  ['the cluster itself: a node is not asked', snapshot(spoke({ configs: found([config('n1')]) }))],
  [
    'the cluster itself: a node has not loaded it yet',
    snapshot(spoke({ nodes: found([node('n1', ready), node('n2')]) })),
  ],
  [
    'the cluster itself: a node refuses it',
    snapshot(
      spoke({
        configs: found([
          config('n1'),
          config('n2', {
            reason: 'ModuleSignatureRejected',
            message: "modprobe: ERROR: could not insert 'nic': Key was rejected by service. Sign the module.",
            nextAttempt: '2026-01-01T00:10:00Z',
          }),
        ]),
      }),
    ),
  ],
];

test('what a person reads wherever the way of a module breaks', async () => {
  const texts = CASES.map(([name, given]) => {
    const text = explanationText(planExplanation(given), { columns: 140, paint: (_style, inner) => inner });
    return `### ${name}\n${text}`;
  });
  await expect(texts.join('\n')).toMatchFileSnapshot('./explanation.golden.txt');
});

test('every step that is not right has a remedy', () => {
  const steps = CASES.flatMap(([, given]) => planExplanation(given)).filter(({ state }) => state !== 'ok');
  expect(steps.filter((step) => !('remedy' in step) || step.remedy.length < 10)).toEqual([]);
});

const step = (state: Step['state'], name: string) => ({ kind: 'Node', name, state, message: '', remedy: 'x' }) as Step;
test.each<[string, Step[], string | undefined]>([
  ['nothing, when all is right', [step('ok', 'a')], undefined],
  ['the first that is wrong', [step('ok', 'a'), step('waiting', 'b'), step('wrong', 'c'), step('wrong', 'd')], 'c'],
  ['the first that waits, when nothing is wrong', [step('ok', 'a'), step('waiting', 'b'), step('waiting', 'c')], 'b'],
  ['what is wrong, before what may not be read', [step('unknown', 'a'), step('wrong', 'b')], 'b'],
  ['what may not be read, before what waits behind it', [step('unknown', 'a'), step('waiting', 'b')], 'a'],
  ['what may not be read, when nothing else is not right', [step('ok', 'a'), step('unknown', 'b')], 'b'],
])('to be looked at first is %s', (_what, steps, name) => {
  expect(firstNotRight(steps)?.name).toBe(name);
});

test('a cluster of a thousand nodes shows the worst fifty', () => {
  const nodes = Array.from({ length: 1_000 }, (_, index) => node(`n${index}`, index === 999 ? {} : ready));
  const configs = nodes.map(({ metadata }) => config(metadata.name));
  const steps = planExplanation(snapshot(spoke({ nodes: found(nodes), configs: found(configs) })));
  const shown = steps.filter(({ kind }) => kind === 'NodeModulesConfig');
  expect([shown.length, shown[0]?.name, shown[0]?.state]).toEqual([50, 'n999', 'waiting']);
});

test('the toolkit catalogue of the hub counts', () => {
  const catalogue = {
    metadata: { name: CONFIG_MAP },
    data: { 'controller_config.yaml': 'toolkitCatalogue: [{regexp: ., image: "r/t:1"}]' },
  };
  const steps = planExplanation(
    snapshot({ configMaps: configMapsOf(dockerfileWith('ARG DTK_AUTO\nFROM ${DTK_AUTO}'), catalogue) }),
  );
  expect(firstNotRight(steps)).toBeUndefined();
});
