import type { Node } from '@kmm-hub/api-types';
import type { Cache, KubeClient } from '@kmm-hub/kube';
import type { Logger } from 'pino';
import type { NodeFeatureSource } from '../../trusted-node-feature.ts';
import type { DroppedLabels } from './dropped-labels.ts';

export type NodeFeaturesDeps = NodeFeatureSource & {
  client: Pick<KubeClient, 'patch'>;
  nodes: Cache<Node>;
  dropped: DroppedLabels;
  /** Nodes that had a NodeFeature since this process started. */
  seen: Set<string>;
  log: Logger;
};
