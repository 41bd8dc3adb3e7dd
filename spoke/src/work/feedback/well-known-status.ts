import type { KubeObject } from '@kmm-hub/api-types';

/** Name of the value and its path in Kubernetes' JSONPath dialect. */
export type NamedPath = { name: string; path: string };

const conditionStatus = (type: string) => `.status.conditions[?(@.type=="${type}")].status`;

/** OCM's table: `apiVersion/kind` → values. */
const byKind: Record<string, readonly NamedPath[]> = {
  'apps/v1/Deployment': [
    { name: 'ReadyReplicas', path: '.status.readyReplicas' },
    { name: 'Replicas', path: '.status.replicas' },
    { name: 'AvailableReplicas', path: '.status.availableReplicas' },
  ],
  'apps/v1/DaemonSet': [
    { name: 'NumberReady', path: '.status.numberReady' },
    { name: 'DesiredNumberScheduled', path: '.status.desiredNumberScheduled' },
    { name: 'NumberAvailable', path: '.status.numberAvailable' },
  ],
  'batch/v1/Job': [
    { name: 'JobComplete', path: conditionStatus('Complete') },
    { name: 'JobSucceeded', path: '.status.succeeded' },
  ],
  'v1/Pod': [
    { name: 'PodReady', path: conditionStatus('Ready') },
    { name: 'PodPhase', path: '.status.phase' },
  ],
};

/** `undefined` for a kind whose status nobody has agreed on. */
export function wellKnownStatus({ apiVersion, kind }: KubeObject): readonly NamedPath[] | undefined {
  return byKind[`${apiVersion}/${kind}`];
}
