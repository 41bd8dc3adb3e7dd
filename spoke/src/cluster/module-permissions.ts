import { type Module, subjectAccessReview } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { LRUCache } from 'lru-cache';
import { clusterDefaults } from './defaults.ts';
import { serviceAccountOf } from './module-on-node.ts';

/** Service accounts that are remembered. */
const REMEMBERED = 1000;

export type ServiceAccountRef = { namespace: string; name: string };

/** Which service accounts may load kernel modules. */
export interface ModulePermissions {
  mayLoad(account: ServiceAccountRef, signal: AbortSignal): Promise<boolean>;
}

/**
 * Asks the API server by SubjectAccessReview whether a service account may `use` the SCC "privileged": on OpenShift that
 * is what a privileged pod needs, and elsewhere plain RBAC answers the same question without the kind being there.
 * Refusals of the review itself are errors; they are never remembered. `clock` counts milliseconds.
 */
export function askedPermissions(
  client: Pick<KubeClient, 'create'>,
  clock: { now(): number } = performance,
): ModulePermissions {
  const answers = new LRUCache<string, { allowed: boolean }, ServiceAccountRef>({
    max: REMEMBERED,
    ttl: clusterDefaults.answerLifetimeMs,
    ttlResolution: 0, // else the cache remembers the time, too
    perf: clock,
    fetchMethod: async (_key, _stale, { signal, context }) => {
      const review = { metadata: { name: '' }, spec: reviewOf(context) };
      const { status } = await client.create(subjectAccessReview, review, signal);
      return { allowed: status?.allowed === true };
    },
  });
  return {
    mayLoad: async (account, signal) => {
      const answer = await answers.fetch(`${account.namespace}/${account.name}`, { signal, context: account });
      return answer?.allowed === true;
    },
  };
}

/** Asks for every Module at once; the answer is a function so that planning stays pure. */
export async function permissionsOf(
  modules: readonly Module[],
  { permissions, operatorNamespace }: { permissions: ModulePermissions; operatorNamespace: string },
  signal: AbortSignal,
): Promise<(module: Module) => boolean> {
  const ask = (module: Module) => {
    const account = { namespace: module.metadata.namespace ?? '', name: serviceAccountOf(module, operatorNamespace) };
    return permissions.mayLoad(account, signal);
  };
  const answers = new Map(await Promise.all(modules.map(async (module) => [module, await ask(module)] as const)));
  return (module) => answers.get(module) === true;
}

function reviewOf({ namespace, name }: ServiceAccountRef) {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: {
      group: 'security.openshift.io',
      resource: 'securitycontextconstraints',
      verb: 'use',
      name: 'privileged',
      namespace,
    },
  };
}
