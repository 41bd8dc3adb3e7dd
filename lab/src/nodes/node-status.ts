import { arch } from 'node:os';
import type { Lease, Node } from '@kmm-hub/api-types';

/** What the machine was started with. */
export type NodeSize = { cpus: number; memoryMiB: number };

export type KernelFacts = { release: string; bootId: string };

type NodeStatusInput = NodeSize & {
  name: string;
  nodeUid: string;
  kernel: KernelFacts;
  kubeletVersion: string;
  /** Ready since then. */
  since: Date;
  now: Date;
};

const MAX_PODS = '110';
const LEASE_SECONDS = 40;

/** Node.status as a kubelet would write it, the kernel's part from the kernel itself. */
export function nodeStatus({
  name,
  nodeUid,
  cpus,
  memoryMiB,
  kernel,
  kubeletVersion,
  since,
  now,
}: NodeStatusInput): Node['status'] {
  const room = { cpu: String(cpus), memory: `${memoryMiB * 1024}Ki`, pods: MAX_PODS };
  const times = { lastHeartbeatTime: now.toISOString(), lastTransitionTime: since.toISOString() };
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the kernel answers on its probe' };
  return {
    capacity: room,
    allocatable: room,
    conditions: [{ ...ready, ...times }],
    nodeInfo: {
      kernelVersion: kernel.release,
      bootID: kernel.bootId,
      architecture: nodeArchitecture(),
      operatingSystem: 'linux',
      osImage: 'kmm-hub lab node, Debian kernel',
      machineID: nodeUid.replaceAll('-', ''),
      systemUUID: nodeUid,
      kubeletVersion,
      kubeProxyVersion: kubeletVersion,
      containerRuntimeVersion: `none://${name}`,
    },
  };
}

/** GOARCH, as Kubernetes' labels have it: `amd64`, `arm64`. */
export function nodeArchitecture(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

/** The heartbeat the node controller watches; owned by the Node, so that it goes with it. */
export function nodeLease({ name, nodeUid, now }: { name: string; nodeUid: string; now: Date }): Lease {
  const owner = { apiVersion: 'v1', kind: 'Node', name, uid: nodeUid };
  return {
    metadata: { name, namespace: 'kube-node-lease', ownerReferences: [owner] },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: now.toISOString().replace('Z', '000Z'), // metav1.MicroTime
    },
  };
}
