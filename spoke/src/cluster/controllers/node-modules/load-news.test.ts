import type { Node, NodeModulesConfig } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { configFixture, entryFixture, loadedFixture, nodeFixture } from '../../objects.fixture.ts';
import { planLoadNews, type Sight } from './load-news.ts';

const MODULE = 'openshift-kmm/kmod';
const entry = entryFixture();
const loaded = configFixture('n1', [entry], { status: [loadedFixture(entry)] });
const unloading = configFixture('n1', [], { status: [loadedFixture(entry)] });
const wantsOther = configFixture('n1', [{ ...entry, config: { ...entry.config, containerImage: 'r/k:2' } }], {
  status: [loadedFixture(entry)],
});
const { config: _, ...failed } = { ...loadedFixture(entry), error: { reason: 'ImageNotFound', message: 'push it' } };
const failing = configFixture('n1', [entry], { status: [failed] });
const labelled = nodeFixture('n1', { labels: { 'kmm.node.kubernetes.io/openshift-kmm.kmod.ready': '' } });

const nothing: Sight = { ready: new Set(), loaded: new Set() };
const hasIt: Sight = { ready: new Set([MODULE]), loaded: new Set([MODULE]) };
const annotations = { module: MODULE };
const LOADED = { reason: 'ModuleLoaded', message: `Module ${MODULE} loaded into the kernel`, annotations };
const UNLOADED = { reason: 'ModuleUnloaded', message: `Module ${MODULE} unloaded from the kernel`, annotations };

type Given = { node?: Node; current?: NodeModulesConfig; before?: Sight };

test.each<[string, Given, unknown[]]>([
  ['a load is told while its ready label is not there yet', { current: loaded, before: nothing }, [LOADED]],
  ['a load is told by an agent that has just started', { current: loaded }, [LOADED]],
  ['a load that an earlier agent has told is not told again', { node: labelled, current: loaded }, []],
  ['a load is told once, also when the Node is read without its new label', { current: loaded, before: hasIt }, []],
  ['nothing is told of a module that fails', { current: failing, before: nothing }, []],
  ['nothing is told of a module that never was loaded and is given up', { before: nothing }, []],
  ['nothing is told while a module is still to be unloaded', { node: labelled, current: unloading, before: hasIt }, []],
  ['nothing is told while another image is still to come', { node: labelled, current: wantsOther, before: hasIt }, []],
  [
    'the load of another image is told',
    { current: loaded, before: { ready: new Set(), loaded: new Set([MODULE]) } },
    [LOADED],
  ],
  [
    'an unload is told once the node no longer reports it',
    { current: configFixture('n1', []), before: hasIt },
    [UNLOADED],
  ],
  ['an unload is told when the configuration is gone, too', { before: hasIt }, [UNLOADED]],
  ['an agent that has just started tells no unload', { current: configFixture('n1', []) }, []],
])('%s', (_behaviour, { node = nodeFixture(), current, before }, news) => {
  expect(planLoadNews(node, current, before).news).toEqual(news);
});

test('a pass remembers what is ready and what is loaded at all', () => {
  expect(planLoadNews(nodeFixture(), loaded, nothing).sight).toEqual(hasIt);
  expect(planLoadNews(nodeFixture(), wantsOther, hasIt).sight).toEqual({ ...nothing, loaded: new Set([MODULE]) });
});
