import { type KubeObject, type Resource, subjectAccessReview } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import type { ResourceRight } from './errors.ts';

/** A user of the API server, as it knows them itself. */
export type User = { username: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };

type TokenReview = KubeObject & {
  spec: { token: string };
  status?: { authenticated?: boolean; user?: Partial<User> };
};
type AccessReview = KubeObject & {
  spec: { user: string; uid?: string; groups?: string[]; extra?: User['extra']; resourceAttributes: ResourceRight };
  status?: { allowed?: boolean };
};

const tokenReview: Resource<TokenReview> = {
  ...{ group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview' },
  ...{ plural: 'tokenreviews', namespaced: false },
};
const accessReview = subjectAccessReview as unknown as Resource<AccessReview>;
const unnamed = {} as KubeObject['metadata']; // reviews have no name

type Client = Pick<KubeClient, 'create'>;

/** Whose token it is; undefined when the API server does not take it (any more). */
export async function reviewToken(client: Client, token: string, signal: AbortSignal): Promise<User | undefined> {
  const { status } = await client.create(tokenReview, { metadata: unnamed, spec: { token } }, signal);
  const { username, uid, groups, extra } = status?.user ?? {};
  if (status?.authenticated !== true || !username) return undefined;
  return { username, ...(uid && { uid }), ...(groups && { groups }), ...(extra && { extra }) };
}

/** Whether the API server would let the user. */
export async function reviewAccess(
  client: Client,
  { user, right }: { user: User; right: ResourceRight },
  signal: AbortSignal,
): Promise<boolean> {
  const { username, ...who } = user;
  const spec = { user: username, ...who, resourceAttributes: right };
  const { status } = await client.create(accessReview, { metadata: unnamed, spec }, signal);
  return status?.allowed === true;
}
