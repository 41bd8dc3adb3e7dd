import type { Module, NodeModulesConfig } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import {
  CORDON,
  configFixture,
  DRA,
  entryFixture,
  loadedFixture,
  moduleFixture,
  nodeFixture,
} from '../../objects.fixture.ts';
import { type ModuleInput, type ModulePlan, planModule } from './plan.ts';

const FINALIZER = 'kmm.node.kubernetes.io/module-finalizer';
const entry = entryFixture();
const held = { finalizers: [FINALIZER] };
const deleting = { ...held, deletionTimestamp: '2026-01-01T00:00:00Z' };
const counts = (nodesMatchingSelectorNumber: number, desiredNumber: number, availableNumber: number) => ({
  moduleLoader: { nodesMatchingSelectorNumber, desiredNumber, availableNumber },
});
const configs = (...list: NodeModulesConfig[]) => {
  const byName = new Map(list.map((config) => [config.metadata.name, config]));
  return { configOf: (name: string) => byName.get(name) };
};
const base: ModuleInput = {
  module: moduleFixture('kmod', { metadata: held }),
  nodes: [nodeFixture('n1')],
  ...configs(),
  mayLoad: true,
  operatorNamespace: 'openshift-kmm',
};
const loaded = configFixture('n1', [entry], { status: [loadedFixture(entry)] });
const { config: _, ...unloaded } = loadedFixture(entry);
const failing = { ...unloaded, error: { reason: 'ImageNotFound', message: 'push it' } };
const allRight = { observedGeneration: 1, ...counts(1, 1, 1) };
const moduleWith = (status: NonNullable<Module['status']>): Module =>
  moduleFixture('kmod', { metadata: { ...held, generation: 2 }, status });

test.each<[string, Partial<ModuleInput>, ModulePlan]>([
  [
    'counts a node that matches and is told nothing yet',
    {},
    { status: { observedGeneration: 1, ...counts(1, 0, 0), degraded: null } },
  ],
  [
    'counts a node that has the module',
    configs(loaded),
    { status: { observedGeneration: 1, ...counts(1, 1, 1), degraded: null } },
  ],
  [
    'counts a node that was cordoned after it got the module (W33), and not one that was before',
    {
      nodes: [nodeFixture('n1', { taints: [CORDON] }), nodeFixture('n2', { taints: [CORDON] })],
      ...configs(loaded),
    },
    { status: { observedGeneration: 1, ...counts(1, 1, 1), degraded: null } },
  ],
  [
    'does not count a load of an earlier boot as available',
    configs(configFixture('n1', [entry], { status: [loadedFixture(entry, 'boot-0')] })),
    { status: { observedGeneration: 1, ...counts(1, 1, 0), degraded: null } },
  ],
  [
    'tells the first failing node by name',
    {
      nodes: ['n3', 'n2', 'n1'].map((name) => nodeFixture(name)),
      ...configs(loaded, ...['n3', 'n2'].map((name) => configFixture(name, [entry], { status: [failing] }))),
    },
    {
      status: {
        ...{ observedGeneration: 1, ...counts(3, 3, 1) },
        degraded: { reason: 'ImageNotFound', message: 'node n2: push it' },
      },
      newProblem: { reason: 'ImageNotFound', message: 'node n2: push it' },
    },
  ],
  [
    'adds the finalizer beside those of others',
    {
      module: moduleFixture('kmod', {
        metadata: { finalizers: ['mine'] },
        status: { observedGeneration: 1, ...counts(1, 0, 0) },
      }),
    },
    { finalizers: ['mine', FINALIZER] },
  ],
  [
    'writes nothing when the status is right',
    { module: moduleFixture('kmod', { metadata: held, status: allRight }), ...configs(loaded) },
    {},
  ],
  [
    'takes back what is no longer wrong, and says which generation it speaks of',
    { module: moduleWith({ ...allRight, degraded: { reason: 'Old', message: 'old' } }), ...configs(loaded) },
    { status: { observedGeneration: 2, ...counts(1, 1, 1), degraded: null } },
  ],
  [
    'clears the numbers of a Module without module loader',
    {
      module: { ...moduleWith({ ...allRight, observedGeneration: 2 }), spec: { selector: { gpu: 'yes' } } },
    },
    { status: { observedGeneration: 2, moduleLoader: null, degraded: null } },
  ],
  [
    'holds a deleted Module while a node still has it',
    {
      module: moduleFixture('kmod', { metadata: deleting, status: { observedGeneration: 1, ...counts(0, 0, 0) } }),
      ...configs(configFixture('n1', [], { status: [loadedFixture(entry)] })),
    },
    {},
  ],
  [
    'lets a deleted Module go when no node that is left has it',
    {
      module: moduleFixture('kmod', { metadata: deleting }),
      ...configs(configFixture('gone', [entry], { status: [loadedFixture(entry)] })),
    },
    { finalizers: [] },
  ],
])('planModule %s', (_behaviour, given, plan) => {
  expect(planModule({ ...base, ...given })).toEqual(plan);
});

const tooOld =
  'dra needs Kubernetes 1.34, and the cluster runs v1.33.4. Upgrade the cluster to Kubernetes 1.34 (OpenShift 4.21), deselect it, or serve its nodes with devicePlugin instead of dra.';
const old = { kubernetesVersion: 'v1.33.4' };
const withDra = moduleFixture('kmod', { metadata: held, spec: { dra: DRA } });

test.each<[string, Partial<ModuleInput>]>([
  ['on no node', { module: withDra, nodes: [] }],
  ['on a node', { module: withDra }],
  ['without a kernel module', { module: { ...withDra, spec: { selector: {}, dra: DRA } } }],
])('a Module %s says with its remedy that its cluster is too old', (_where, given) => {
  const { status, newProblem } = planModule({ ...base, ...old, ...given });
  expect([status?.degraded, newProblem]).toEqual(Array(2).fill({ reason: 'ClusterTooOld', message: tooOld }));
});

test('a Module that is being deleted no longer minds the age of its cluster', () => {
  const module = moduleFixture('kmod', { metadata: deleting, spec: { dra: DRA } });
  const config = configFixture('n1', [], { status: [loadedFixture(entry)] });
  expect(planModule({ ...base, ...old, module, ...configs(config) }).status?.degraded).toBeNull();
});

test('an event is asked for when the reason changes, not on each pass', () => {
  const degraded = { reason: 'ServiceAccountNotAllowed', message: 'as before' };
  const module = moduleFixture('kmod', { metadata: held, status: { degraded } });
  expect(planModule({ ...base, module, mayLoad: false }).newProblem).toBeUndefined();
  expect(planModule({ ...base, mayLoad: false }).newProblem?.reason).toBe('ServiceAccountNotAllowed');
});

test('a message that is too long for the status is cut', () => {
  const error = { reason: 'LoadFailed', message: 'x'.repeat(4096) };
  const config = configFixture('n1', [entry], { status: [{ ...unloaded, error }] });
  expect(planModule({ ...base, ...configs(config) }).status?.degraded?.message).toHaveLength(1024);
});
