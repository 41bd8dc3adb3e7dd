import { createHash } from 'node:crypto';
import type { KubeClient } from '@kmm-hub/kube';
import { LRUCache } from 'lru-cache';
import { MissingRightError, type ResourceRight, UnauthenticatedError } from './errors.ts';
import { reviewAccess, reviewToken, type User } from './reviews.ts';

export const accessDefaults = {
  /** How long an answer of the API server is believed; delegated authentication's and authorization's own figure. */
  rememberMs: 10_000,
  /** Answers of each kind. */
  remembered: 1_000,
};

export type Proof = {
  /** The header. */
  authorization: string | undefined;
  /** Of the connection's certificate, if the client CA of the API server issued it; as Node reads it. */
  subject: { CN?: string | string[]; O?: string | string[] } | undefined;
};

/**
 * Who asks, and whether they may, as the API server says: delegated authentication and authorization, as Kubernetes' own
 * components do it. Tokens are kept as hashes only.
 */
export class Access {
  readonly #client: Pick<KubeClient, 'create'>;
  /** '' for a token that is nobody's: lru-cache holds no undefined. */
  readonly #users: LRUCache<string, User | ''>;
  readonly #rights: LRUCache<string, boolean>;

  constructor(client: Pick<KubeClient, 'create'>, { rememberMs, remembered } = accessDefaults) {
    this.#client = client;
    this.#users = new LRUCache({ max: remembered, ttl: rememberMs });
    this.#rights = new LRUCache({ max: remembered, ttl: rememberMs });
  }

  /** A certificate counts before a token, as in the API server. @throws UnauthenticatedError, and what the API server refuses. */
  async identify({ authorization = '', subject }: Proof, signal: AbortSignal): Promise<User> {
    const [, token] = /^Bearer ([!-~]{1,16384})$/i.exec(authorization) ?? [];
    const user = userOfCertificate(subject) ?? (token && (await this.#userOfToken(token, signal)));
    if (!user) throw new UnauthenticatedError();
    return user;
  }

  /** @throws MissingRightError, and what the API server refuses. */
  async demand(user: User, right: ResourceRight, signal: AbortSignal): Promise<void> {
    const key = JSON.stringify([user, right]);
    const allowed = this.#rights.get(key) ?? (await reviewAccess(this.#client, { user, right }, signal));
    this.#rights.set(key, allowed, { noUpdateTTL: true });
    if (!allowed) throw new MissingRightError(user.username, right);
  }

  async #userOfToken(token: string, signal: AbortSignal): Promise<User | ''> {
    const key = createHash('sha256').update(token).digest('base64');
    const user = this.#users.get(key) ?? (await reviewToken(this.#client, token, signal)) ?? '';
    this.#users.set(key, user, { noUpdateTTL: true });
    return user;
  }
}

/** Common name and organizations, as in every Kubernetes component. A name given twice is no name. */
function userOfCertificate({ CN, O = [] }: NonNullable<Proof['subject']> = {}): User | undefined {
  if (typeof CN !== 'string' || CN === '') return undefined;
  return { username: CN, groups: [O, 'system:authenticated'].flat() };
}
