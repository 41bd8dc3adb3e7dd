// Names on the wire. Upstream's are byte-identical (KMM v2.6 §2.1): users' node selectors and upgrade procedures rely on them.

/** On a ManifestWork: the name of the ManagedClusterModule it belongs to. Also the selector for all its works. */
export const MANAGED_CLUSTER_MODULE_LABEL = 'kmm.node.kubernetes.io/managedclustermodule.name';
/** The ClusterClaim that lists the kernels of a cluster, one a line. */
export const KERNEL_VERSIONS_CLAIM = 'kernel-versions.kmm.node.kubernetes.io';
/** On a Module: held until no node has it loaded. */
export const MODULE_FINALIZER = 'kmm.node.kubernetes.io/module-finalizer';
/** On a ManagedClusterModule: held until its works are gone or the grace period is over (upstream has none, W15). */
export const MANAGED_CLUSTER_MODULE_FINALIZER = 'hub.kmm.sigs.x-k8s.io/managedclustermodule-cleanup';
/** On a Namespace while at least one Module lives there. */
export const CONTAINS_MODULES_LABEL = 'kmm.node.k8s.io/contains-modules';
/** On a work: kernel → the tag behind the digest that its Module names, as JSON. */
export const IMAGE_TAGS_ANNOTATION = 'hub.kmm.sigs.x-k8s.io/image-tags';
/** On an image manifest that our workers published: the content key of what went into it. */
export const CONTENT_KEY_ANNOTATION = 'sigs.x-k8s.io.kmm.content-key';
/** The same without the base images: what is known before anything is pulled. */
export const INPUT_KEY_ANNOTATION = 'sigs.x-k8s.io.kmm.input-key';
/** On an image manifest that our workers published: the kernel it was built for. */
export const KERNEL_ANNOTATION = 'sigs.x-k8s.io.kmm.kernel-version';

export const HUB_NAMESPACE = 'openshift-kmm-hub';
export const SPOKE_NAMESPACE = 'openshift-kmm';
/** Service account under which a Module of the operator's own namespace loads when it names none. */
export const MODULE_LOADER_SERVICE_ACCOUNT = 'kmm-operator-module-loader';

/** On a Node while the module is loaded; its value is empty. */
export const readyLabel = (namespace: string, name: string) => `kmm.node.kubernetes.io/${namespace}.${name}.ready`;
/** On a Node: the version that is loaded, for ordered upgrades. */
export const versionReadyLabel = (namespace: string, name: string) =>
  `kmm.node.kubernetes.io/${namespace}.${name}.version.ready`;
/** On a NodeModulesConfig that lists the module in its spec. */
export const moduleConfiguredLabel = (namespace: string, name: string) =>
  `beta.kmm.node.kubernetes.io/${namespace}.${name}.module-configured`;
/** On a NodeModulesConfig that lists the module in its spec or its status. */
export const moduleInUseLabel = (namespace: string, name: string) =>
  `beta.kmm.node.kubernetes.io/${namespace}.${name}.module-in-use`;

/** On a NodeFeature: the node it speaks of (NFD). */
export const NODE_NAME_LABEL = 'nfd.node.kubernetes.io/node-name';
/** Namespace of NFD's labels; a label without a namespace gets it. */
export const FEATURE_LABEL_NAMESPACE = 'feature.node.kubernetes.io';

export const MANIFEST_WORK_FINALIZER = 'cluster.open-cluster-management.io/manifest-work-cleanup';
export const APPLIED_MANIFEST_WORK_FINALIZER = 'cluster.open-cluster-management.io/applied-manifest-work-cleanup';
export const MANAGED_CLUSTER_LEASE = 'managed-cluster-lease';
/** A claim with this label stays on the spoke. */
export const SPOKE_ONLY_LABEL = 'open-cluster-management.io/spoke-only';
