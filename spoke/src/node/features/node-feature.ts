import { apiVersionOf, NODE_NAME_LABEL, type NodeFeature, nodeFeature } from '@kmm-hub/api-types';
import spoke from '../../../package.json' with { type: 'json' };
import type { Discovery } from './discover.ts';

/** Says that CPU flags come from /proc/cpuinfo, a subset of what executing CPUID gives. */
const CPU_FLAGS_ANNOTATION = 'hub.kmm.sigs.x-k8s.io/cpu-flags-from';

/** The NodeFeature of a node: NFD's master, or our cluster agent, makes labels of it. */
export function nodeFeatureFor(
  nodeName: string,
  namespace: string,
  { features, labels }: Pick<Discovery, 'features' | 'labels'>,
): NodeFeature {
  return {
    apiVersion: apiVersionOf(nodeFeature),
    kind: nodeFeature.kind,
    metadata: {
      name: nodeName,
      namespace,
      labels: { [NODE_NAME_LABEL]: nodeName },
      annotations: { 'nfd.node.kubernetes.io/worker.version': `v${spoke.version}`, [CPU_FLAGS_ANNOTATION]: 'cpuinfo' },
    },
    spec: { features, labels },
  };
}
