import { type ManifestWorkSpec, type Resource, type ResourceIdentifier, subjectAccessReview } from '@kmm-hub/api-types';
import type { KubeClient } from '@kmm-hub/kube';
import { ExecutorDeniedError, InvalidManifestError } from '../manifests/errors.ts';
import type { Manifest } from '../manifests/manifest.ts';

type ServiceAccountRef = { namespace: string; name: string };
type Right = Partial<ResourceIdentifier> & { verb: string; resource: string };
type ExecutorTask = {
  executor: NonNullable<ManifestWorkSpec['executor']>;
  manifest: Manifest;
  resource: Resource;
  /** Whether the object goes away with the work: then the executor must be allowed to delete it. */
  owned: boolean;
};

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/**
 * Asks by SubjectAccessReview whether the executor of a work may do with one object what applying it takes. The object is then
 * applied by the agent itself (OCM). Roles and bindings take the right to escalate or to bind as well; OCM tries those in the
 * executor's name instead, for which its agent may impersonate every service account.
 * @throws ExecutorDeniedError; InvalidManifestError for an executor that is no service account.
 */
export async function checkExecutor(
  spoke: Pick<KubeClient, 'create'>,
  task: ExecutorTask,
  signal: AbortSignal,
): Promise<void> {
  const account = serviceAccountOf(task.executor);
  const { group, plural: resource } = task.resource;
  const { name, namespace = '' } = task.manifest.metadata;
  const what = `not allowed to apply the resource ${group} ${resource}, ${namespace} ${name}`;
  for (const right of rightsToApply(task)) {
    if (await isAllowed(spoke, { account, right }, signal)) continue;
    const how = right.verb === 'escalate' || right.verb === 'bind' ? ', error: permission escalation' : '';
    throw new ExecutorDeniedError(`${what}${how}, will try again in 1m0s`);
  }
}

/** What the executor must be allowed to do (OCM's list, also for ReadOnly). */
export function rightsToApply({ manifest, resource, owned }: Omit<ExecutorTask, 'executor'>): Right[] {
  const { name, namespace = '' } = manifest.metadata;
  const object = { group: resource.group, resource: resource.plural, name, namespace };
  const verbs = ['create', 'update', 'patch', 'get', ...(owned ? ['delete'] : [])];
  return [...verbs.map((verb) => ({ ...object, verb })), ...rightsAgainstEscalation(manifest, object)];
}

function rightsAgainstEscalation(manifest: Manifest, object: Required<ResourceIdentifier>): Right[] {
  if (object.group !== RBAC_GROUP) return [];
  if (['roles', 'clusterroles'].includes(object.resource)) return [{ ...object, verb: 'escalate' }];
  if (!['rolebindings', 'clusterrolebindings'].includes(object.resource)) return [];
  const { kind = '', name = '' } = (manifest as { roleRef?: { kind?: string; name?: string } }).roleRef ?? {};
  const resource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  return [{ verb: 'bind', group: RBAC_GROUP, resource, name, namespace: object.namespace }];
}

async function isAllowed(
  spoke: Pick<KubeClient, 'create'>,
  { account: { namespace, name }, right }: { account: ServiceAccountRef; right: Right },
  signal: AbortSignal,
): Promise<boolean> {
  const spec = {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: right,
  };
  const { status } = await spoke.create(subjectAccessReview, { metadata: { name: '' }, spec }, signal);
  return status?.allowed === true;
}

function serviceAccountOf({ subject }: NonNullable<ManifestWorkSpec['executor']>): ServiceAccountRef {
  if (subject?.serviceAccount !== undefined) return subject.serviceAccount;
  throw new InvalidManifestError('spec.executor of the work names no service account');
}
