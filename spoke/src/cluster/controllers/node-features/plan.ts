import { FEATURE_LABEL_NAMESPACE, type Node, type NodeFeature } from '@kmm-hub/api-types';
import { isLabelKey, isLabelValue } from '@kmm-hub/rules';
import { FEATURE_LABELS_ANNOTATION } from '../../caches.ts';
import type { DroppedCount } from './dropped-labels.ts';

export type NodeFeaturesPlan = {
  /** The merge patch for the Node's metadata; undefined when nothing changes. */
  patch?: { labels: Record<string, string | null>; annotations: Record<string, string | null> };
  dropped: DroppedCount;
};

const DEFAULT_PREFIX = `${FEATURE_LABEL_NAMESPACE}/`;
const ALLOWED_NAMESPACES = [FEATURE_LABEL_NAMESPACE, 'profile.node.kubernetes.io'];

/**
 * The labels of one Node from its NodeFeature (undefined: none is wanted), as nfd-master does it (NFD §6.4): a key without
 * a namespace gets the default one, a key with one wins over it, Kubernetes' own namespaces are denied. Only labels named
 * in the tracking annotation are ever removed.
 */
export function planNodeFeatures(node: Node, feature: NodeFeature | undefined): NodeFeaturesPlan {
  const { wanted, dropped } = acceptLabels(feature?.spec?.labels ?? {});
  const { labels = {}, annotations = {} } = node.metadata;
  const tracked = annotations[FEATURE_LABELS_ANNOTATION];
  const gone = trackedKeys(tracked).filter((key) => !wanted.has(key) && Object.hasOwn(labels, key));
  const set = [...wanted].filter(([key, value]) => labels[key] !== value);
  const tracking = [...wanted.keys()].map(shortened).sort().join(',') || undefined;
  if (gone.length + set.length === 0 && tracked === tracking) return { dropped };
  return {
    patch: {
      labels: Object.fromEntries([...gone.map((key) => [key, null]), ...set]),
      annotations: { [FEATURE_LABELS_ANNOTATION]: tracking ?? null },
    },
    dropped,
  };
}

function acceptLabels(labels: Record<string, string>): { wanted: Map<string, string>; dropped: DroppedCount } {
  const wanted = new Map<string, string>();
  const dropped = { denied: 0, invalid: 0 };
  const entries = Object.entries(labels).sort(([a], [b]) => Number(a.includes('/')) - Number(b.includes('/')));
  for (const [name, value] of entries) {
    const key = name.includes('/') ? name : `${DEFAULT_PREFIX}${name}`;
    if (!isLabelKey(key) || !isLabelValue(value)) dropped.invalid += 1;
    else if (isDenied(key)) dropped.denied += 1;
    else wanted.set(key, value);
  }
  return { wanted, dropped };
}

function isDenied(key: string): boolean {
  const [namespace = ''] = key.split('/', 1);
  const isWithin = (parent: string) => namespace === parent || namespace.endsWith(`.${parent}`);
  return isWithin('kubernetes.io') && !ALLOWED_NAMESPACES.some(isWithin);
}

/** A kubelet may write annotations of its own Node, so a denied key in the list is not believed either. */
function trackedKeys(tracked = ''): string[] {
  const keys = tracked.split(',').filter((name) => name !== '');
  return keys.map((name) => (name.includes('/') ? name : `${DEFAULT_PREFIX}${name}`)).filter((key) => !isDenied(key));
}

function shortened(key: string): string {
  return key.startsWith(DEFAULT_PREFIX) ? key.slice(DEFAULT_PREFIX.length) : key;
}
