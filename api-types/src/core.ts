import type { KubeObject, Resource } from './kube-object.ts';

// The fields of Kubernetes' own kinds that this product reads or writes; the API server keeps the rest.

export type Taint = { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' };
export type Node = KubeObject & {
  spec?: { unschedulable?: boolean; taints?: Taint[] };
  status?: {
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: { type: string; status: string }[];
    nodeInfo?: {
      kernelVersion: string;
      bootID: string;
      architecture: string;
      osImage: string;
      operatingSystem?: string;
      machineID?: string;
      systemUUID?: string;
      kubeletVersion?: string;
      kubeProxyVersion?: string;
      containerRuntimeVersion?: string;
    };
  };
};
export type Namespace = KubeObject;
export type ServiceAccount = KubeObject;
export type ConfigMap = KubeObject & { data?: Record<string, string> };
/** `data` values are base64. */
export type Secret = KubeObject & { type?: string; data?: Record<string, string> };
export type Lease = KubeObject & {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
};
export type KubeEvent = KubeObject & {
  involvedObject: { apiVersion?: string; kind?: string; name?: string; namespace?: string; uid?: string };
  reason?: string;
  message?: string;
  type?: 'Normal' | 'Warning';
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  source?: { component?: string };
  reportingComponent?: string;
  reportingInstance?: string;
};
export type SubjectAccessReview = Omit<KubeObject, 'metadata'> & {
  metadata: { name?: string };
  spec: {
    user?: string;
    groups?: string[];
    resourceAttributes?: { group?: string; resource?: string; verb?: string; name?: string; namespace?: string };
  };
  status?: { allowed: boolean; reason?: string };
};

const core = <T extends KubeObject>(kind: string, plural: string, namespaced: boolean): Resource<T> => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  namespaced,
});

export const node = core<Node>('Node', 'nodes', false);
export const namespace = core<Namespace>('Namespace', 'namespaces', false);
export const serviceAccount = core<ServiceAccount>('ServiceAccount', 'serviceaccounts', true);
export const configMap = core<ConfigMap>('ConfigMap', 'configmaps', true);
export const secret = core<Secret>('Secret', 'secrets', true);
export const kubeEvent = core<KubeEvent>('Event', 'events', true);
export const lease: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};
export const subjectAccessReview: Resource<KubeObject & SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};
