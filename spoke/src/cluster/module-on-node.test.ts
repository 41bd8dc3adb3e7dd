import type { Module, NodeModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { decideModule, isLoaded, type ModuleOnNode, serviceAccountOf } from './module-on-node.ts';
import { CORDON, DRA, entryFixture, loadedFixture, moduleFixture, nodeFixture } from './objects.fixture.ts';

const SERVICE_ACCOUNT = 'kmm-operator-module-loader';
const base: ModuleOnNode = { module: moduleFixture(), node: nodeFixture(), mayLoad: true };
const wanted = entryFixture();
const other: NodeModuleSpec = { ...wanted, config: { ...wanted.config, containerImage: 'registry/kmod:old' } };
const unmapped = moduleFixture('kmod', {
  container: { kernelMappings: [{ literal: '5.4.0', containerImage: 'r/k:1' }] },
});
const versioned = moduleFixture('kmod', { container: { version: '2' } });
const versionLabel = 'kmm.node.kubernetes.io/version-module.openshift-kmm.kmod';
const labelled = (version: string) => nodeFixture('n1', { labels: { gpu: 'yes', [versionLabel]: version } });

const cordoned = nodeFixture('n1', { taints: [CORDON] });
const deselected = nodeFixture('n1', { labels: {} });
const module = (parts: Parameters<typeof moduleFixture>[1]) => ({ module: moduleFixture('kmod', parts) });
const deleted = module({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
const everywhere = module({ spec: { tolerations: [{ operator: 'Exists' }] } });
const tolerations = [{ operator: 'Exists' }, ...(wanted.tolerations ?? [])];
const wrongRegexp = module({ container: { kernelMappings: [{ regexp: '(', containerImage: 'r/k:1' }] } });
const withDra = module({ spec: { dra: DRA } });
const earlier = entryFixture('kmod', '5.10.0-1-amd64');

type Given = Partial<ModuleOnNode>;
type Decided = { entry?: NodeModuleSpec; reason?: string };

test.each<[string, Given, Decided]>([
  ['lists a module on a node that it selects', {}, { entry: wanted }],
  ['lists nothing on a node that it does not select', { node: deselected }, {}],
  ['takes a module off a node that is no longer selected', { node: deselected, listed: wanted }, {}],
  ['takes a module off when it is being deleted', { ...deleted, listed: wanted }, {}],
  ['gives nothing new to a cordoned node', { node: cordoned }, {}],
  ['leaves the module on a node that is cordoned later (W33)', { node: cordoned, listed: wanted }, { entry: wanted }],
  ['keeps a listed module up to date under a taint', { node: cordoned, listed: other }, { entry: wanted }],
  ['lists a tolerating module under a taint', { ...everywhere, node: cordoned }, { entry: { ...wanted, tolerations } }],
  ['says that no mapping matches the kernel', { module: unmapped }, { reason: 'NoKernelMapping' }],
  [
    'keeps what is loaded when its mapping is lost',
    { module: unmapped, listed: wanted },
    { entry: wanted, reason: 'NoKernelMapping' },
  ],
  [
    'drops the entry of an earlier kernel when the new one has no mapping',
    { module: unmapped, listed: earlier },
    { reason: 'NoKernelMapping' },
  ],
  [
    'keeps what is loaded when an expression is wrong',
    { ...wrongRegexp, listed: wanted },
    { entry: wanted, reason: 'WrongRegexp' },
  ],
  ['lists nothing for a service account that may not load', { mayLoad: false }, { reason: 'ServiceAccountNotAllowed' }],
  [
    'keeps an entry as it is when the service account may no longer load',
    { mayLoad: false, listed: other },
    { entry: other, reason: 'ServiceAccountNotAllowed' },
  ],
  [
    'lists nothing new where the cluster is too old for the Module',
    { ...withDra, kubernetesVersion: 'v1.33.4' },
    { reason: 'ClusterTooOld' },
  ],
  [
    'keeps an entry as it is when the Module begins to ask for a newer cluster',
    { ...withDra, kubernetesVersion: 'v1.33.4', listed: other },
    { entry: other, reason: 'ClusterTooOld' },
  ],
  ['lists a module with dra where it can be served', { ...withDra, kubernetesVersion: 'v1.34.0' }, { entry: wanted }],
  ['holds no age against a cluster for a Module without dra', { kubernetesVersion: 'v1.30.0' }, { entry: wanted }],
  [
    'keeps an entry as long as the node has not said its kernel',
    { node: nodeFixture('n1', { kernel: '' }), listed: other },
    { entry: other },
  ],
  [
    'loads the version that the node is labelled for',
    { module: versioned, node: labelled('2') },
    { entry: { ...wanted, version: '2' } },
  ],
  [
    'leaves the old version until the node is labelled for the new one',
    { module: versioned, node: labelled('1'), listed: other },
    { entry: other },
  ],
  ['unloads when the version label is taken away', { module: versioned, listed: other }, {}],
  ['refuses a name that makes no label', { module: moduleFixture('k'.repeat(60)) }, { reason: 'NameTooLong' }],
  ['refuses a version that is no label value', module({ container: { version: 'a b' } }), { reason: 'WrongVersion' }],
])('decideModule %s', (_behaviour, given, { entry, reason }) => {
  const decision = decideModule({ ...base, ...given }, SERVICE_ACCOUNT);
  expect({ entry: decision.entry, reason: decision.problem?.reason }).toEqual({ entry, reason });
});

test.each<[string, Module, string]>([
  [
    'the one it names',
    moduleFixture('a', {
      spec: { moduleLoader: { serviceAccountName: 'mine', container: { modprobe: {}, kernelMappings: [] } } },
    }),
    'mine',
  ],
  ["the operator's own in the operator's namespace", moduleFixture('a'), SERVICE_ACCOUNT],
  ['default elsewhere', moduleFixture('a', { namespace: 'other' }), 'default'],
])('a Module loads under %s', (_which, module, name) => {
  expect(serviceAccountOf(module, 'openshift-kmm')).toBe(name);
});

test.each<[string, Parameters<typeof isLoaded>[1], boolean]>([
  ['a report that equals what is wanted counts as loaded', loadedFixture(wanted), true],
  ['a report of another boot does not count', loadedFixture(wanted, 'boot-0'), false],
  ['a report of another image does not count', loadedFixture(other), false],
  ['no report does not count', undefined, false],
])('%s', (_behaviour, reported, loaded) => {
  expect(isLoaded(wanted, reported, nodeFixture())).toBe(loaded);
});

test('a report without a boot does not count on a node that has not said its own', () => {
  const { bootId: _, ...report } = loadedFixture(wanted);
  expect(isLoaded(wanted, report, { metadata: { name: 'n1' } })).toBe(false);
});
