import { type Lease, lease as leaseResource } from '@kmm-hub/api-types';
import type { Logger } from 'pino';
import { sleep } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { Fence } from './dispatchers.ts';
import { AlreadyExistsError, ConflictError, NotFoundError } from './errors.ts';
import { instant, Leadership } from './leadership.ts';

/** Upstream's lease ids: two hubs in one namespace exclude each other, whichever product they are. */
export const HUB_LEASE = 'kmm-hub.sigs.x-k8s.io';
export const SPOKE_LEASE = 'kmm.sigs.x-k8s.io';

export const leaderElectionDefaults = {
  /** Others take the lease over when they saw no renewal for this long. */
  leaseMs: 10_000,
  /** Without a confirmed renewal for this long the leader stops writing. The rest of the lease is for what is on its way. */
  renewDeadlineMs: 7_000,
  /** Between two attempts to acquire or renew. */
  retryMs: 2_000,
  /** How long the work of a leader that lost its lease may take to end. */
  stopMs: 5_000,
};

export type LeaderElectionOptions = {
  /** Not the client that the leader works with: renewals must not wait behind its requests, nor be fenced. */
  client: Pick<KubeClient, 'getIfPresent' | 'create' | 'replace'>;
  lease: { namespace: string; name: string };
  /** Unlike that of any other process, and of this one before its restart; e.g. host name and a UUID. */
  identity: string;
  log: Logger;
  timing?: Partial<typeof leaderElectionDefaults>;
};

/** For a leader's KubeClient (`fence`) and its loops (`signal`, aborted at the end of the term or of the process). */
export type Leading = { fence: Fence; signal: AbortSignal };

/**
 * Waits for the lease, then runs `work` as long as it is held; gives it back when `signal` aborts. Leases of others are
 * judged by how long they stay unchanged, never by the time written in them, so clocks may differ.
 * @throws LeadershipLostError when another leads, or no renewal was confirmed in time; what `work` throws.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  work: (leading: Leading) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options);
  const leadership = await candidate.acquire(signal);
  if (leadership === undefined) return;
  const ended = new AbortController();
  const limit = AbortSignal.any([signal, leadership.signal, ended.signal]);
  const renewing = candidate.keepRenewing(leadership, limit);
  const { stopMs } = candidate.timing;
  const tooLate = once(leadership.signal).then(() => sleep(stopMs, ended.signal));
  try {
    await Promise.race([work({ fence: leadership.fence, signal: limit }), tooLate]);
  } catch (err) {
    leadership.signal.throwIfAborted(); // the work fails because of it
    throw err;
  } finally {
    ended.abort();
    await renewing;
    if (!leadership.signal.aborted) await candidate.release();
  }
  leadership.signal.throwIfAborted();
}

/** What was last seen of a lease that another holds, and when it is free unless it changes. */
type Observation = { resourceVersion: string | undefined; freeAtMs: number };

class Candidate {
  readonly timing: typeof leaderElectionDefaults;
  readonly #options: LeaderElectionOptions;
  #observed: Observation | undefined;
  /** The lease as this process wrote it last. */
  #own: Lease | undefined;
  /** The one that was told of last. */
  #leader: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.timing = { ...leaderElectionDefaults, ...options.timing };
  }

  /** Tries until it leads; `undefined` when aborted. */
  async acquire(signal: AbortSignal): Promise<Leadership | undefined> {
    const { log, lease, identity } = this.#options;
    const { renewDeadlineMs } = this.timing;
    for (; !signal.aborted; await sleep(this.#pauseMs(), signal)) {
      const since = instant();
      try {
        if (!(await this.#tryToAcquire(AbortSignal.any([signal, AbortSignal.timeout(renewDeadlineMs)])))) continue;
        log.info({ lease: lease.name, identity }, 'this instance leads');
        return new Leadership({ lease: lease.name, validMs: renewDeadlineMs, since });
      } catch (err) {
        if (!signal.aborted) log.warn({ err, lease: lease.name }, 'lease not acquired');
      }
    }
    return undefined;
  }

  /** Renews until aborted; ends the leadership when another holds the lease or no attempt succeeds in time. Never throws. */
  async keepRenewing(leadership: Leadership, signal: AbortSignal): Promise<void> {
    const { log, lease } = this.#options;
    for (;;) {
      await sleep(Math.min(this.timing.retryMs, leadership.remainingMs), signal);
      if (signal.aborted) return;
      const at = instant();
      if (leadership.remainingMs <= 0) return leadership.lose('it was not renewed in time');
      try {
        const limit = AbortSignal.timeout(Math.ceil(leadership.remainingMs));
        if (!(await this.#writeIfHeld(this.#holding(), AbortSignal.any([signal, limit]))))
          return leadership.lose('another instance holds it');
        leadership.renewed(at);
      } catch (err) {
        if (!signal.aborted) log.warn({ err, lease: lease.name }, 'lease not renewed');
      }
    }
  }

  /** Lets the others take over at once. A failure only makes them wait. */
  async release(): Promise<void> {
    const { log, lease } = this.#options;
    const free = { holderIdentity: '', leaseDurationSeconds: 1 };
    try {
      const released = await this.#writeIfHeld(free, AbortSignal.timeout(this.timing.renewDeadlineMs));
      log.info({ lease: lease.name }, released ? 'lease given back' : 'another instance holds the lease');
    } catch (err) {
      log.warn({ err, lease: lease.name }, 'lease not given back; it runs out');
    }
  }

  async #tryToAcquire(signal: AbortSignal): Promise<boolean> {
    const { client, lease } = this.#options;
    const current = await client.getIfPresent(leaseResource, lease, signal);
    if (current !== undefined && !this.#isFree(current)) {
      this.#tellWhoLeads(current);
      return false;
    }
    const times = { acquireTime: microTime(), leaseTransitions: (current?.spec?.leaseTransitions ?? -1) + 1 };
    try {
      await this.#write(current, { ...this.#holding(), ...times }, signal);
      return true;
    } catch (err) {
      if (err instanceof ConflictError || err instanceof AlreadyExistsError) return false; // another was faster
      throw err;
    }
  }

  /** By the monotonic clock alone: to wait too long does no harm, a jump of the wall clock would. */
  #isFree({ metadata: { resourceVersion }, spec }: Lease): boolean {
    if (!spec?.holderIdentity) return true;
    const now = performance.now();
    const leaseMs = (spec.leaseDurationSeconds ?? this.timing.leaseMs / 1000) * 1000;
    const unchanged = this.#observed?.resourceVersion === resourceVersion;
    const freeAtMs = (unchanged ? this.#observed?.freeAtMs : undefined) ?? now + leaseMs;
    this.#observed = { resourceVersion, freeAtMs };
    return now >= freeAtMs;
  }

  /** The pause before the next look: not longer than until the lease runs out, so that a dead leader is replaced at once. */
  #pauseMs(): number {
    const retryMs = this.timing.retryMs * (1 + Math.random() / 5);
    const leftMs = (this.#observed?.freeAtMs ?? 0) - performance.now();
    return leftMs <= 0 ? retryMs : Math.min(retryMs, leftMs + 1);
  }

  /**
   * Writes the lease unless another holds it; answers whether it did. The last write may have landed although nobody heard
   * the answer, so a conflict is looked into.
   */
  async #writeIfHeld(change: LeaseSpec, signal: AbortSignal): Promise<boolean> {
    const { client, lease, identity } = this.#options;
    try {
      await this.#write(this.#own, change, signal);
      return true;
    } catch (err) {
      if (err instanceof NotFoundError)
        this.#own = undefined; // deleted by someone: it is made again
      else if (!(err instanceof ConflictError || err instanceof AlreadyExistsError)) throw err;
    }
    const current = await client.getIfPresent(leaseResource, lease, signal);
    if (current !== undefined && current.spec?.holderIdentity !== identity) return false;
    await this.#write(current, change, signal);
    return true;
  }

  async #write(current: Lease | undefined, change: LeaseSpec, signal: AbortSignal): Promise<void> {
    const { client, lease } = this.#options;
    const spec = { ...current?.spec, ...change, renewTime: microTime() };
    this.#own =
      current === undefined
        ? await client.create(leaseResource, { metadata: lease, spec }, signal)
        : await client.replace(leaseResource, { object: { ...current, spec } }, signal);
  }

  #holding(): LeaseSpec {
    return { holderIdentity: this.#options.identity, leaseDurationSeconds: this.timing.leaseMs / 1000 };
  }

  /** Once for each leader. */
  #tellWhoLeads({ spec }: Lease): void {
    const { log, lease } = this.#options;
    if (this.#leader === spec?.holderIdentity) return;
    this.#leader = spec?.holderIdentity;
    log.info({ lease: lease.name, leader: this.#leader }, 'this instance stands by');
  }
}

type LeaseSpec = NonNullable<Lease['spec']>;

function once(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** metav1.MicroTime. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
