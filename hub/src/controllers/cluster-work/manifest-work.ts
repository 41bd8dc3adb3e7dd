import {
  apiVersionOf,
  IMAGE_TAGS_ANNOTATION,
  type KernelMapping,
  MANAGED_CLUSTER_MODULE_LABEL,
  type ManagedClusterModule,
  type ManifestWork,
  managedClusterModule,
  module,
} from '@kmm-hub/api-types';
import type { KernelImage } from './plan.ts';

const COUNTERS = ['availableNumber', 'desiredNumber', 'nodesMatchingSelectorNumber'];
/** Upstream's nine values (KMM v2.6), so that its dashboards keep working. */
const UPSTREAM_FEEDBACK = ['devicePlugin', 'dra', 'moduleLoader'].flatMap((part) =>
  COUNTERS.map((counter) => ({ name: `${part}.${counter}`, path: `.status.${part}.${counter}` })),
);
/** Ours: which generation the numbers are of, and the first thing that is not right. */
const OUR_FEEDBACK = [
  { name: 'generation', path: '.metadata.generation' },
  { name: 'observedGeneration', path: '.status.observedGeneration' },
  { name: 'degraded.reason', path: '.status.degraded.reason' },
  { name: 'degraded.message', path: '.status.degraded.message' },
];

/** OCM's webhook refuses more (500 × 1024 bytes). */
export const MAX_WORK_BYTES = 512_000;

/**
 * The one work of a module on a cluster: upstream's name, label and shape, a Module with literal mappings only, and no
 * build or sign. Applied server-side, so that fields which the spoke defaults are not fought over.
 */
export function manifestWorkFor(
  owner: ManagedClusterModule,
  cluster: string,
  literals: ReadonlyMap<string, KernelImage>,
): ManifestWork {
  const { name } = owner.metadata;
  const manifest = moduleManifest(owner, literals);
  const tags = Object.fromEntries([...literals].map(([kernel, { tag }]) => [kernel, tag]));
  return {
    metadata: {
      name,
      namespace: cluster,
      labels: { [MANAGED_CLUSTER_MODULE_LABEL]: name },
      annotations: { [IMAGE_TAGS_ANNOTATION]: JSON.stringify(tags) },
      ownerReferences: [
        {
          apiVersion: apiVersionOf(managedClusterModule),
          kind: managedClusterModule.kind,
          name,
          uid: owner.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      workload: { manifests: [manifest] },
      manifestConfigs: [
        {
          resourceIdentifier: {
            group: module.group,
            resource: module.plural,
            name,
            namespace: owner.spec.spokeNamespace,
          },
          feedbackRules: [{ type: 'JSONPaths', jsonPaths: [...UPSTREAM_FEEDBACK, ...OUR_FEEDBACK] }],
          updateStrategy: {
            type: 'ServerSideApply',
            serverSideApply: { force: true, fieldManager: 'work-agent-kmm-hub' },
          },
        },
      ],
    },
  };
}

function moduleManifest(owner: ManagedClusterModule, literals: ReadonlyMap<string, KernelImage>) {
  const { moduleLoader, ...rest } = owner.spec.moduleSpec ?? { selector: {} };
  const metadata = { name: owner.metadata.name, namespace: owner.spec.spokeNamespace };
  const identity = { apiVersion: apiVersionOf(module), kind: module.kind, metadata };
  if (moduleLoader === undefined) return { ...identity, spec: rest };
  // The container-level images and in-tree lists are in every literal already; sent twice, spokes refuse them (W8).
  const {
    build: _build,
    sign: _sign,
    containerImage: _image,
    inTreeModuleToRemove: _single,
    inTreeModulesToRemove: _list,
    ...container
  } = moduleLoader.container;
  const kernelMappings = [...literals].sort(([a], [b]) => (a < b ? -1 : 1)).map(mappingOf);
  return {
    ...identity,
    spec: { ...rest, moduleLoader: { ...moduleLoader, container: { ...container, kernelMappings } } },
  };
}

function mappingOf([literal, { reference, inTreeModulesToRemove, registryTLS }]: [string, KernelImage]): KernelMapping {
  return {
    literal,
    containerImage: reference,
    ...(inTreeModulesToRemove && inTreeModulesToRemove.length > 0 && { inTreeModulesToRemove }),
    ...(registryTLS && { registryTLS }),
  };
}
