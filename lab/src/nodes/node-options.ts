import type { Kernel } from './kernels.ts';
import type { Accelerator } from './machine.ts';

export type NodeOptions = {
  /** The Node's name, a DNS label. */
  name: string;
  kernel: Kernel;
  /** The node's own: state disk, logs, probe socket. Created when missing; give the same one to find the state again. */
  folder: string;
  /** Where the agent finds the API server: a port on this machine's loopback. */
  apiServer: { port: number; caPem: string };
  /** The agent's service account token. */
  token: string;
  /** Namespace of that service account. Default: openshift-kmm. */
  namespace?: string;
  /** Loopback ports of this machine that shall answer on 127.0.0.1 in the node too, e.g. the registry's. */
  forwards?: readonly number[];
  /** The agent's main.ts: bundled once in the life of this process. */
  agentEntry: string;
  /** Default 512. */
  memoryMiB?: number;
  /** Default 2; each is a NUMA node of its own. */
  cpus?: number;
  /** More PCI devices as QEMU names them, e.g. `edu`. */
  pci?: readonly string[];
  /** UEFI Secure Boot; these certificates (files, PEM or DER) are enrolled at the first start, for good. Default: no UEFI. */
  secureBoot?: { trustedCertificates: readonly string[] };
  /** Default `tcg`. */
  accelerator?: Accelerator;
  /** Default: the cache of kmm-hub. */
  cacheFolder?: string;
  /** Ends the start; the running node is ended by `stop`. */
  signal: AbortSignal;
};
