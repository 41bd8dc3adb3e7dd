import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { lease as leaseResource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import { KubeClient } from './client.ts';
import type { ClientObserver } from './client-metrics.ts';
import type { Connection } from './credentials.ts';
import type { Fence } from './dispatchers.ts';
import { LeadershipLostError } from './errors.ts';
import { EventRecorder } from './event-recorder.ts';
import { type Leading, leaderElectionDefaults, runAsLeader } from './leader-election.ts';

/**
 * Which instance of a process acts: all of them follow their API servers, and only the one that leads writes. To be disposed
 * of once `run` has ended.
 */
export interface Election extends AsyncDisposable {
  /** For the clients that write: throws unless this instance leads. */
  readonly fence: Fence;
  /** Undefined where nobody is elected. */
  readonly role: 'leader' | 'standby' | undefined;
  /** Runs `work` once this instance leads, and until its signal aborts. @throws LeadershipLostError; what `work` throws. */
  run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** The only instance there is: it acts at once. */
export const noElection: Election = {
  fence: () => undefined,
  role: undefined,
  run: (work, signal) => work(signal),
  [Symbol.asyncDispose]: async () => undefined,
};

export type ElectionOptions = {
  connection: Connection;
  lease: { namespace: string; name: string };
  /** Of the Event that tells who leads, e.g. "kmm-hub". */
  component: string;
  registry: Registry;
  observer: ClientObserver;
  log: Logger;
};

/** Among the instances that name the same lease. */
export class LeaseElection implements Election {
  readonly #options: ElectionOptions;
  /** Unlike that of any other instance, and of this one before its restart; the form is client-go's. */
  readonly #identity = `${hostname()}_${randomUUID()}`;
  readonly #client: KubeClient;
  #term: Leading | undefined;

  constructor(options: ElectionOptions) {
    const { connection, component, observer } = options;
    this.#options = options;
    // half of the deadline: a connection that stalls leaves time for a second attempt, as in controller-runtime
    const timeoutMs = leaderElectionDefaults.renewDeadlineMs / 2;
    this.#client = new KubeClient(connection, `${component}-leader-election`, { connections: 2, timeoutMs, observer });
    this.#count();
  }

  get role(): 'leader' | 'standby' {
    return this.#term === undefined || this.#term.signal.aborted ? 'standby' : 'leader';
  }

  readonly fence: Fence = () => {
    if (this.#term === undefined) {
      throw new LeadershipLostError(this.#options.lease.name, 'this instance does not lead');
    }
    this.#term.fence();
  };

  async run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { lease, log } = this.#options;
    const options = { client: this.#client, lease, identity: this.#identity, log };
    const term = async (leading: Leading) => {
      this.#term = leading;
      try {
        await Promise.all([this.#tell(leading.signal), work(leading.signal)]);
      } finally {
        this.#term = undefined; // before the lease is given back
      }
    };
    await runAsLeader(options, term, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  /** Under client-go's name, which dashboards know. */
  #count(): void {
    const { lease, registry } = this.#options;
    const role = () => this.role;
    new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this instance leads, 0 while it stands by.',
      labelNames: ['name'] as const,
      registers: [registry],
      collect() {
        this.set({ name: lease.name }, role() === 'leader' ? 1 : 0);
      },
    });
  }

  /** As client-go does, so that `kubectl get events` shows who took over when. */
  async #tell(signal: AbortSignal): Promise<void> {
    const { lease, component, log } = this.#options;
    const events = new EventRecorder({ client: this.#client, component, log });
    const message = `${this.#identity} became leader`;
    const about = { resource: leaseResource, object: { metadata: lease } };
    await events.record({ ...about, type: 'Normal', reason: 'LeaderElection', message }, signal);
  }
}
