import type { NodeModuleSpec, NodeModuleStatus } from '@kmm-hub/api-types';
import type { ModuleKey } from './plan.ts';

/** How one action on a module ended. */
export type Outcome =
  | { kind: 'loaded'; module: NodeModuleSpec; bootId: string }
  | { kind: 'gone'; module: ModuleKey }
  | { kind: 'failed'; module: NodeModuleSpec | ModuleKey; reason: string; message: string; nextAttempt: string };

/**
 * NodeModulesConfig.status.modules after one action (KMM v2.6 §5.2): an entry says what is loaded and in which boot; a
 * failure is put beside what is still loaded, never in its place. Sorted by namespace and name.
 */
export function statusAfter(status: readonly NodeModuleStatus[], outcome: Outcome): NodeModuleStatus[] {
  const key = keyText(outcome.module);
  const others = status.filter((entry) => keyText(entry) !== key);
  const before = status.find((entry) => keyText(entry) === key);
  const entry = entryAfter(before, outcome);
  const entries = entry === undefined ? others : [...others, entry];
  return entries.sort((a, b) => (keyText(a) < keyText(b) ? -1 : 1));
}

function entryAfter(before: NodeModuleStatus | undefined, outcome: Outcome): NodeModuleStatus | undefined {
  if (outcome.kind === 'gone') return undefined;
  if (outcome.kind === 'loaded') return { ...outcome.module, bootId: outcome.bootId };
  const { reason, message, nextAttempt } = outcome;
  const error = { reason, message: message.slice(0, 4096), nextAttempt };
  if (before !== undefined) return { ...before, error };
  if (!('serviceAccountName' in outcome.module)) return undefined;
  const { config: _config, ...module } = outcome.module;
  return { ...module, error };
}

const keyText = ({ namespace, name }: ModuleKey) => `${namespace}/${name}`;
