import { type Node, type NodeModulesConfig, readyLabel } from '@kmm-hub/api-types';
import { moduleKeyOf } from '../../caches.ts';
import { readyModules } from './plan.ts';

/** What a node has, by `namespace/name`: modules just as they are wanted, and all that it reports to have loaded. */
export type Sight = { ready: ReadonlySet<string>; loaded: ReadonlySet<string> };

/** A Normal Event on the Node: reason, words and annotation are upstream's (KMM v2.6 §8.2). */
export type LoadNews = {
  reason: 'ModuleLoaded' | 'ModuleUnloaded';
  message: string;
  /** `namespace/name` of the Module. */
  annotations: { module: string };
};

/**
 * What is new on a node since the pass `before`, which is undefined at the first one.
 * - A load, when the ready label is still to be set: the label outlives this process, so that no restart tells it again.
 *   The pass before counts, too, since a Node that is read right after the label was set may not show it yet.
 * - An unload, when the node no longer reports what it did. One that happens while no agent leads is told by nobody.
 */
export function planLoadNews(
  node: Node,
  current: NodeModulesConfig | undefined,
  before: Sight | undefined,
): { sight: Sight; news: LoadNews[] } {
  const ready = readyModules(node, current);
  const reported = (current?.status?.modules ?? []).filter(({ config }) => config !== undefined);
  const sight = { ready: new Set(ready.map(moduleKeyOf)), loaded: new Set(reported.map(moduleKeyOf)) };
  const unlabelled = ready.filter(
    ({ namespace, name }) => !(readyLabel(namespace, name) in (node.metadata.labels ?? {})),
  );
  const came = unlabelled.map(moduleKeyOf).filter((module) => !before?.ready.has(module));
  const went = [...(before?.loaded ?? [])].filter((module) => !sight.loaded.has(module));
  return { sight, news: [...went.map(unloaded), ...came.map(loaded)] };
}

function loaded(module: string): LoadNews {
  return { reason: 'ModuleLoaded', message: `Module ${module} loaded into the kernel`, annotations: { module } };
}

function unloaded(module: string): LoadNews {
  return { reason: 'ModuleUnloaded', message: `Module ${module} unloaded from the kernel`, annotations: { module } };
}
