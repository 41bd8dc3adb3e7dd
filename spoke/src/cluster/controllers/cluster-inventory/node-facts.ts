import {
  FEATURE_LABEL_NAMESPACE,
  type Node,
  type NodeFeature,
  type NodeGroup,
  type NodeModulesConfig,
  type NodeResourceTopology,
} from '@kmm-hub/api-types';
import { parseKernelVersion } from '@kmm-hub/rules';
import { moduleKeyOf, SECURE_BOOT_ATTRIBUTES } from '../../caches.ts';
import { isLoaded } from '../../module-on-node.ts';

/** What is known of one node; undefined when nothing is. */
export type NodeSources = {
  node: Node;
  /** The trusted one. */
  feature?: NodeFeature | undefined;
  topology?: NodeResourceTopology | undefined;
  config?: NodeModulesConfig | undefined;
};

/** One node as the inventory sees it: a group of one. */
export type NodeFacts = Omit<NodeGroup, 'zones' | 'modules'> & {
  zones: NonNullable<NodeGroup['zones']>;
  modules: NonNullable<NodeGroup['modules']>;
};

const FEATURE_PREFIX = `${FEATURE_LABEL_NAMESPACE}/`;

/** Undefined as long as the node has not said its kernel, or says what is none: it cannot be in a group then. */
export function factsOf({ node, feature, topology, config }: NodeSources): NodeFacts | undefined {
  const { kernelVersion = '', architecture = '', osImage } = node.status?.nodeInfo ?? {};
  if (!parseKernelVersion(kernelVersion).ok) return undefined;
  const secureBoot = feature?.spec?.features?.attributes?.[SECURE_BOOT_ATTRIBUTES]?.elements.enabled;
  return {
    kernelVersion,
    architecture: architecture.slice(0, 16),
    ...(osImage && { osImage: osImage.slice(0, 253) }),
    ...((secureBoot === 'true' || secureBoot === 'false') && { secureBoot: secureBoot === 'true' }),
    count: 1,
    nodes: [node.metadata.name],
    features: featuresOf(node),
    zones: zonesOf(topology),
    modules: modulesOn(node, config),
  };
}

/** From the labels of the Node, whoever set them: NFD itself may run here. Sorted, so that equal sets are equal text. */
function featuresOf({ metadata: { labels = {} } }: Node): Record<string, string> {
  const features = Object.entries(labels).filter(([key]) => key.startsWith(FEATURE_PREFIX));
  return Object.fromEntries(features.map(([key, value]) => [key.slice(FEATURE_PREFIX.length), value] as const).sort());
}

function zonesOf(topology: NodeResourceTopology | undefined): NodeFacts['zones'] {
  const zones = (topology?.zones ?? []).map(({ name, resources = [] }) => ({
    name: name.slice(0, 64),
    resources: Object.fromEntries(resources.map((resource) => [resource.name, resource.capacity] as const).sort()),
  }));
  return zones.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Loaded: exactly what is wanted, in this boot. `image` is what the node last said to have loaded, wanted or not. */
function modulesOn(node: Node, config: NodeModulesConfig | undefined): NodeFacts['modules'] {
  const wanted = new Map((config?.spec?.modules ?? []).map((entry) => [moduleKeyOf(entry), entry]));
  const reported = new Map((config?.status?.modules ?? []).map((entry) => [moduleKeyOf(entry), entry]));
  const names = [...new Set([...wanted.keys(), ...reported.keys()])].sort();
  return names.map((name) => {
    const [entry, report] = [wanted.get(name), reported.get(name)];
    const loaded = entry !== undefined && isLoaded(entry, report, node);
    const image = report?.config?.containerImage;
    const state = loaded ? 'Loaded' : (report?.error?.reason ?? 'Pending');
    return { name, ...(image && { image }), state, count: 1 };
  });
}
