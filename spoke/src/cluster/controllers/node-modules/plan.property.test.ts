import type { Module, Node, NodeModulesConfig } from '@kmm-hub/api-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CORDON, moduleFixture, nodeFixture } from '../../objects.fixture.ts';
import { planNodeModules } from './plan.ts';

/** What can happen around one node; `pass` is a reconcile, `report` is the node agent having done what is wanted. */
type Event =
  | { type: 'pass' | 'report' | 'reboot' }
  | { type: 'kernel'; kernel: string }
  | { type: 'label'; gpu: string }
  | { type: 'apply'; module: string; image: string }
  | { type: 'remove'; module: string };

type World = { node: Node; modules: Map<string, Module>; current: NodeModulesConfig | undefined; boots: number };

const name = fc.constantFrom('a', 'b', 'b.c');
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constantFrom('pass' as const, 'report' as const, 'reboot' as const) }),
  fc.record({ type: fc.constant('kernel' as const), kernel: fc.constantFrom('6.1.0-53-amd64', '6.12.9+deb12-amd64') }),
  fc.record({ type: fc.constant('label' as const), gpu: fc.constantFrom('yes', 'no') }),
  fc.record({ type: fc.constant('apply' as const), module: name, image: fc.constantFrom('r/k:1', 'r/k:2') }),
  fc.record({ type: fc.constant('remove' as const), module: name }),
);

function applyImage(module: string, containerImage: string): Module {
  return moduleFixture(module, { container: { kernelMappings: [{ regexp: '.', containerImage }] } });
}

function newWorld(): World {
  return { node: nodeFixture(), modules: new Map(), current: undefined, boots: 1 };
}

function planOf({ node, modules, current }: World) {
  const input = { node, modules: [...modules.values()], current, mayLoad: () => true };
  return planNodeModules({ ...input, operatorNamespace: 'openshift-kmm' });
}

function happen(world: World, event: Event): World {
  const { node, modules, current } = world;
  const info = { architecture: 'amd64', osImage: '', kernelVersion: '', bootID: '', ...node.status?.nodeInfo };
  switch (event.type) {
    case 'pass':
      return pass(world);
    case 'report': {
      const loaded = (current?.spec?.modules ?? []).map((entry) => ({ ...entry, bootId: info.bootID }));
      return current === undefined ? world : { ...world, current: { ...current, status: { modules: loaded } } };
    }
    case 'reboot': {
      const status = { nodeInfo: { ...info, bootID: `boot-${world.boots + 1}` } };
      return { ...world, boots: world.boots + 1, node: { ...node, status } };
    }
    case 'kernel':
      return { ...world, node: { ...node, status: { nodeInfo: { ...info, kernelVersion: event.kernel } } } };
    case 'label':
      return {
        ...world,
        node: { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, gpu: event.gpu } } },
      };
    case 'apply':
      return { ...world, modules: new Map([...modules, [event.module, applyImage(event.module, event.image)]]) };
    case 'remove':
      return { ...world, modules: new Map([...modules].filter(([key]) => key !== event.module)) };
  }
}

/** What the API server makes of one plan. */
function pass(world: World): World {
  const { config, nodeLabels } = planOf(world);
  const { node } = world;
  const labelled = { ...node, metadata: { ...node.metadata, labels: merged(node.metadata.labels, nodeLabels) } };
  return { ...world, node: labelled, current: stored(world.current, config) };
}

function stored(current: NodeModulesConfig | undefined, plan: ReturnType<typeof planOf>['config']) {
  if (plan.action === 'create') return plan.object;
  if (plan.action === 'delete') return undefined;
  if (plan.action !== 'update' || current === undefined) return current;
  const { labels, ownerReferences } = plan.patch.metadata;
  const metadata = { ...current.metadata, labels: merged(current.metadata.labels, labels), ownerReferences };
  return { ...current, metadata, spec: plan.patch.spec };
}

function merged(labels: Record<string, string> = {}, patch: Record<string, string | null>): Record<string, string> {
  const entries = Object.entries({ ...labels, ...patch });
  return Object.fromEntries(entries.flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

/** Passes and reports until nothing changes; four rounds are enough to empty and delete a configuration. */
function settle(world: World): World {
  let settled = world;
  for (let round = 0; round < 4; round += 1) settled = pass(happen(pass(settled), { type: 'report' }));
  return settled;
}

const visible = ({ node, current }: World) => ({
  labels: node.metadata.labels,
  listed: current?.spec?.modules,
  reported: current?.status?.modules,
  configLabels: current?.metadata.labels,
});

test('whatever happened before, a node ends as if only its last state had ever been', () => {
  const property = fc.property(fc.array(event, { maxLength: 30 }), (events) => {
    const end = settle(events.reduce(happen, newWorld()));
    const { gpu = '' } = end.node.metadata.labels ?? {};
    const fresh = {
      ...end,
      current: undefined,
      node: { ...end.node, metadata: { ...end.node.metadata, labels: { gpu } } },
    };
    expect(visible(end)).toEqual(visible(settle(fresh)));
    expect(planOf(end)).toEqual({ config: { action: 'none' }, nodeLabels: {} });
    // the fixed point is not that of doing nothing
    const wanted = gpu === 'yes' ? [...end.modules.keys()].sort() : [];
    expect((end.current?.spec?.modules ?? []).map((entry) => entry.name).sort()).toEqual(wanted);
    const ready = Object.keys(end.node.metadata.labels ?? {}).filter((key) => key.endsWith('.ready'));
    expect(ready).toHaveLength(wanted.length);
  });
  fc.assert(property);
});

test('a taint that comes to a settled node changes nothing there (W33)', () => {
  const property = fc.property(fc.array(event, { maxLength: 30 }), (events) => {
    const end = settle(events.reduce(happen, newWorld()));
    const cordoned = { ...end, node: { ...end.node, spec: { taints: [CORDON] } } };
    expect(planOf(cordoned)).toEqual({ config: { action: 'none' }, nodeLabels: {} });
  });
  fc.assert(property);
});
