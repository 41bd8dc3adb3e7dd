import { NODE_NAME_LABEL, type NodeFeature } from '@kmm-hub/api-types';
import type { Cache } from '@kmm-hub/kube';

export type NodeFeatureSource = {
  features: Pick<Cache<NodeFeature>, 'get'>;
  /** Where the node agents run. */
  agentNamespace: string;
};

/**
 * The NodeFeature of a node, if it is the one that this node's agent writes: in the agents' namespace, named for the node
 * and labelled for it. Any other could speak for a node that is not its own.
 */
export function trustedNodeFeature(
  { features, agentNamespace }: NodeFeatureSource,
  nodeName: string,
): NodeFeature | undefined {
  const feature = features.get(`${agentNamespace}/${nodeName}`);
  return feature?.metadata.labels?.[NODE_NAME_LABEL] === nodeName ? feature : undefined;
}
