import { type Lease, lease, type Node, node } from '@kmm-hub/api-types';
import { AlreadyExistsError, type Connection, KubeClient, sleep } from '@kmm-hub/kube';
import { waitFor } from '../host/wait.ts';
import type { ControlPlane } from '../servers/control-plane.ts';
import { type KernelFacts, type NodeSize, nodeArchitecture, nodeLease, nodeStatus } from './node-status.ts';
import type { Probe } from './probe.ts';

export type FakeKubeletOptions = NodeSize & {
  plane: Pick<ControlPlane, 'url' | 'caPem' | 'issueClientCertificate'>;
  /** Of the Node, a DNS label. */
  name: string;
  /** Beside the well-known ones of hostname, operating system and architecture. */
  labels?: Readonly<Record<string, string>>;
  /** Ends the start; the running kubelet is ended by `stop`. */
  signal: AbortSignal;
};

/** Plays the part of a node that cannot run without a container runtime: it only says that the node is there and ready. */
export type FakeKubelet = {
  readonly name: string;
  /** To bind the agent's token to. */
  readonly nodeUid: string;
  /** From now on the kernel behind `probe` is the node's; answers when the Node is Ready with what that kernel says. */
  follow(probe: Probe, signal: AbortSignal): Promise<void>;
  /** What went wrong in the newest round; undefined while all is well. */
  readonly failure: unknown;
  /** Nothing is taken back: the lease runs out and the node controller notices, as with a kubelet that died. */
  stop(): Promise<void>;
};

/** How soon a reboot is noticed. */
const ROUND_MS = 2_000;
/** As the real one (nodeLeaseDurationSeconds / 4, nodeStatusReportFrequency). */
const LEASE_EVERY_MS = 10_000;
const STATUS_EVERY_MS = 300_000;
const REGISTER_LIMIT_MS = 180_000;
const FOLLOW_LIMIT_MS = 180_000;

/**
 * Registers a Node as the user `system:node:<name>`, held to what the node authorizer and NodeRestriction allow a kubelet.
 * The Node is NotReady until a probe is followed. Throws the errors of @kmm-hub/kube, NotReadyError.
 */
export async function startFakeKubelet(options: FakeKubeletOptions): Promise<FakeKubelet> {
  const { plane, name, signal } = options;
  const certificate = await plane.issueClientCertificate({
    commonName: `system:node:${name}`,
    organizations: ['system:nodes'],
  });
  const connection: Connection = {
    server: plane.url,
    credentials: async () => ({
      ca: plane.caPem,
      clientCertificate: { cert: certificate.certPem, key: certificate.keyPem },
    }),
  };
  const client = new KubeClient(connection, 'kmm-hub-lab-kubelet');
  try {
    const check = () => register(client, options);
    const nodeUid = await waitFor({ what: `the Node ${name}`, check, timeoutMs: REGISTER_LIMIT_MS, signal });
    return new Kubelet({ ...options, client, nodeUid });
  } catch (err) {
    await client.close();
    throw err;
  }
}

/** An existing Node is taken over, as a restarted kubelet does. */
async function register(client: KubeClient, { name, labels, signal }: FakeKubeletOptions): Promise<string | undefined> {
  const wellKnown = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': nodeArchitecture(),
  };
  const wanted: Node = { metadata: { name, labels: { ...labels, ...wellKnown } } };
  try {
    return (await client.create(node, wanted, signal)).metadata.uid;
  } catch (err) {
    if (!(err instanceof AlreadyExistsError)) throw err;
    return (await client.get(node, { name }, signal)).metadata.uid;
  }
}

type KubeletState = FakeKubeletOptions & { client: KubeClient; nodeUid: string };

class Kubelet implements FakeKubelet {
  readonly name: string;
  readonly nodeUid: string;
  failure: unknown;
  readonly #state: KubeletState;
  readonly #lifetime = new AbortController();
  /** Ends the rounds for the probe followed before. */
  #following = new AbortController();
  #rounds: Promise<void> = Promise.resolve();
  #reported: { bootId: string; since: Date; at: Date } | undefined;
  #leaseAtMs = 0;

  constructor(state: KubeletState) {
    this.#state = state;
    this.name = state.name;
    this.nodeUid = state.nodeUid;
  }

  async follow(probe: Probe, signal: AbortSignal): Promise<void> {
    await this.#endRounds();
    const check = async (limit: AbortSignal) => {
      await this.#report(probe, limit);
      return true;
    };
    await waitFor({ what: `the status of the Node ${this.name}`, check, timeoutMs: FOLLOW_LIMIT_MS, signal });
    this.#following = new AbortController();
    this.#rounds = this.#keepReporting(probe, AbortSignal.any([this.#following.signal, this.#lifetime.signal]));
  }

  async stop(): Promise<void> {
    this.#lifetime.abort();
    await this.#endRounds();
    await this.#state.client.close();
  }

  async #endRounds(): Promise<void> {
    this.#following.abort();
    await this.#rounds;
    this.#reported = undefined;
  }

  async #keepReporting(probe: Probe, signal: AbortSignal): Promise<void> {
    for (await sleep(ROUND_MS, signal); !signal.aborted; await sleep(ROUND_MS, signal)) {
      try {
        await this.#report(probe, signal);
        this.failure = undefined;
      } catch (err) {
        this.failure = err; // a dead node reports nothing: its lease is to run out
        this.#reported = undefined; // the node controller may have marked it; when it is back, all is told again
      }
    }
  }

  async #report(probe: Probe, signal: AbortSignal): Promise<void> {
    const kernel: KernelFacts = { bootId: await probe.bootId(signal), release: await probe.release(signal) };
    const now = new Date();
    const last = this.#reported?.bootId === kernel.bootId ? this.#reported : undefined;
    if (last === undefined || now.getTime() - last.at.getTime() >= STATUS_EVERY_MS) {
      const since = last?.since ?? now;
      await this.#writeStatus({ kernel, since, now }, signal);
      this.#reported = { bootId: kernel.bootId, since, at: now };
    }
    if (now.getTime() - this.#leaseAtMs < LEASE_EVERY_MS) return;
    await this.#renewLease(signal);
    this.#leaseAtMs = now.getTime();
  }

  async #writeStatus(facts: { kernel: KernelFacts; since: Date; now: Date }, signal: AbortSignal): Promise<void> {
    const { client, name } = this.#state;
    const { gitVersion } = await client.raw<{ gitVersion: string }>('/version', signal);
    const status = nodeStatus({ ...this.#state, ...facts, kubeletVersion: gitVersion });
    await client.patch(node, { ref: { name }, patch: { status }, subresource: 'status' }, signal);
  }

  async #renewLease(signal: AbortSignal): Promise<void> {
    const { client, name, nodeUid } = this.#state;
    const wanted: Lease = nodeLease({ name, nodeUid, now: new Date() });
    if ((await client.createIfAbsent(lease, wanted, signal)) !== undefined) return;
    const ref = { namespace: wanted.metadata.namespace ?? '', name };
    await client.patch(lease, { ref, patch: { spec: wanted.spec } }, signal);
  }
}
