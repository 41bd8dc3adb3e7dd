import { expect, test } from 'vitest';
import { configFixture, DRA, entryFixture, loadedFixture, moduleFixture, nodeFixture } from '../../objects.fixture.ts';
import { type ConfigPlan, type NodeModulesInput, planNodeModules } from './plan.ts';

const entry = entryFixture();
const other = { ...entry, config: { ...entry.config, containerImage: 'registry/kmod:old' } };
const base: NodeModulesInput = {
  node: nodeFixture(),
  modules: [moduleFixture()],
  mayLoad: () => true,
  operatorNamespace: 'openshift-kmm',
};
const { ownerReferences = [] } = configFixture('n1', []).metadata;
const [configured, inUse] = ['module-configured', 'module-in-use'].map(
  (suffix) => `beta.kmm.node.kubernetes.io/openshift-kmm.kmod.${suffix}`,
) as [string, string];
const ready = 'kmm.node.kubernetes.io/openshift-kmm.kmod.ready';
const versionReady = 'kmm.node.kubernetes.io/openshift-kmm.kmod.version.ready';

test.each<[string, Partial<NodeModulesInput>, ConfigPlan]>([
  [
    'creates the configuration, owned by its Node, with the labels that upstream looks for',
    {},
    {
      action: 'create',
      object: {
        metadata: { name: 'n1', labels: { [configured]: '', [inUse]: '' }, ownerReferences },
        spec: { modules: [entry] },
      },
    },
  ],
  ['creates none for a node without modules', { modules: [] }, { action: 'none' }],
  ['leaves a configuration that is right alone', { current: configFixture('n1', [entry]) }, { action: 'none' }],
  [
    'updates an entry that is no longer right',
    { current: configFixture('n1', [other]) },
    { action: 'update', patch: { metadata: { labels: {}, ownerReferences }, spec: { modules: [entry] } } },
  ],
  [
    'says in-use while a module that is no longer wanted is still reported',
    { modules: [], current: configFixture('n1', [entry], { status: [loadedFixture(entry)] }) },
    {
      action: 'update',
      patch: { metadata: { labels: { [configured]: null }, ownerReferences }, spec: { modules: [] } },
    },
  ],
  [
    'waits with deleting until the node has answered',
    { modules: [], current: configFixture('n1', [], { status: [loadedFixture(entry)] }) },
    { action: 'none' },
  ],
  [
    'deletes a configuration that nobody needs',
    { modules: [], current: configFixture('n1', []) },
    { action: 'delete' },
  ],
  [
    'takes away the labels of Modules that are gone, and no others',
    {
      current: configFixture('n1', [entry], {
        labels: { [configured]: '', [inUse]: '', mine: '1', [`${inUse.replace('kmod', 'old.kmod')}`]: '' },
      }),
    },
    {
      action: 'update',
      patch: {
        metadata: { labels: { [inUse.replace('kmod', 'old.kmod')]: null }, ownerReferences },
        spec: { modules: [entry] },
      },
    },
  ],
  [
    'gives nothing to a node of a cluster that is too old for the Module',
    { modules: [moduleFixture('kmod', { spec: { dra: DRA } })], kubernetesVersion: 'v1.33.4' },
    { action: 'none' },
  ],
  [
    'keeps an entry whose service account may not load',
    { mayLoad: () => false, current: configFixture('n1', [other]) },
    { action: 'none' },
  ],
])('planNodeModules %s', (_behaviour, given, config) => {
  expect(planNodeModules({ ...base, ...given }).config).toEqual(config);
});

test('a configuration of an earlier Node of the same name changes its owner', () => {
  const current = configFixture('n1', [entry]);
  current.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'uid-before' }];
  expect(planNodeModules({ ...base, current }).config).toMatchObject({ patch: { metadata: { ownerReferences } } });
});

test('modules of one name in two namespaces, dots included, are two modules (W36)', () => {
  const modules = [moduleFixture('a.b'), moduleFixture('a.b', { namespace: 'other' }), moduleFixture('b')];
  const { config } = planNodeModules({ ...base, modules });
  const listed = config.action === 'create' ? (config.object.spec?.modules ?? []) : [];
  expect(listed.map(({ namespace, name }) => `${namespace} ${name}`)).toEqual([
    'openshift-kmm a.b',
    'openshift-kmm b',
    'other a.b',
  ]);
});

const versioned = { ...entry, version: '2' };
const labelled = (labels: Record<string, string>) => nodeFixture('n1', { labels: { gpu: 'yes', ...labels } });

test.each<[string, Partial<NodeModulesInput>, Record<string, string | null>]>([
  [
    'sets ready once the node reports what is wanted',
    { current: configFixture('n1', [entry], { status: [loadedFixture(entry)] }) },
    { [ready]: '' },
  ],
  [
    'sets the version that is ready',
    { current: configFixture('n1', [versioned], { status: [loadedFixture(versioned)] }) },
    { [ready]: '', [versionReady]: '2' },
  ],
  [
    'does nothing about a label that is right',
    { node: labelled({ [ready]: '' }), current: configFixture('n1', [entry], { status: [loadedFixture(entry)] }) },
    {},
  ],
  [
    'takes ready away after a reboot',
    {
      node: labelled({ [ready]: '' }),
      current: configFixture('n1', [entry], { status: [loadedFixture(entry, 'boot-0')] }),
    },
    { [ready]: null },
  ],
  [
    'takes ready away while another configuration is loaded',
    { node: labelled({ [ready]: '' }), current: configFixture('n1', [entry], { status: [loadedFixture(other)] }) },
    { [ready]: null },
  ],
  [
    'takes every ready label away from a node without configuration, and no other label',
    {
      modules: [],
      node: labelled({ [ready]: '', [versionReady]: '1', 'kmm.node.kubernetes.io/a.b.device-plugin-ready': '' }),
    },
    { [ready]: null, [versionReady]: null },
  ],
])('planNodeModules %s', (_behaviour, given, nodeLabels) => {
  expect(planNodeModules({ ...base, ...given }).nodeLabels).toEqual(nodeLabels);
});
