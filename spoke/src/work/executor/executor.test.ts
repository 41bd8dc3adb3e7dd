import type { KubeObject, SubjectAccessReview } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { ExecutorDeniedError, InvalidManifestError } from '../manifests/errors.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { checkExecutor, rightsToApply } from './executor.ts';

const { signal } = new AbortController();
const configMap = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const rbac = (kind: string, plural: string) => ({
  ...{ group: 'rbac.authorization.k8s.io', version: 'v1', kind, plural },
  namespaced: !kind.startsWith('Cluster'),
});
const manifest = (more: object = {}) =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a', namespace: 't' }, ...more }) as Manifest;
const verbsOf = (rights: readonly { verb: string; resource: string }[]) =>
  rights.map(({ verb, resource }) => `${verb} ${resource}`);

describe('what an executor must be allowed to do', () => {
  const applying = ['create configmaps', 'update configmaps', 'patch configmaps', 'get configmaps'];
  test('is to apply the object, and to delete it when it goes with the work', () => {
    const task = { manifest: manifest(), resource: configMap };
    expect(verbsOf(rightsToApply({ ...task, owned: false }))).toEqual(applying);
    expect(verbsOf(rightsToApply({ ...task, owned: true }))).toEqual([...applying, 'delete configmaps']);
  });

  test('is to escalate for a role', () => {
    const task = { manifest: manifest(), resource: rbac('ClusterRole', 'clusterroles'), owned: true };
    expect(verbsOf(rightsToApply(task))).toContain('escalate clusterroles');
  });

  test('is to bind the role of a binding', () => {
    const roleRef = { kind: 'ClusterRole', name: 'admin' };
    const task = { manifest: manifest({ roleRef }), resource: rbac('RoleBinding', 'rolebindings'), owned: true };
    expect(rightsToApply(task)).toContainEqual({
      ...{ verb: 'bind', group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: 'admin', namespace: 't' },
    });
  });
});

describe('an executor', () => {
  const executor = { subject: { type: 'ServiceAccount' as const, serviceAccount: { namespace: 'n', name: 'sa' } } };
  const task = { executor, manifest: manifest(), resource: configMap, owned: true };
  const asked: SubjectAccessReview['spec'][] = [];
  const server = (allowed: (verb: string) => boolean) => ({
    create: async <T extends KubeObject>(_resource: unknown, review: T): Promise<T> => {
      const { spec } = review as unknown as SubjectAccessReview;
      asked.push(spec);
      return { ...review, status: { allowed: allowed(spec.resourceAttributes?.verb ?? '') } };
    },
  });

  test('that may do all of it is asked for by name and groups', async () => {
    await checkExecutor(
      server(() => true),
      task,
      signal,
    );
    expect(asked.at(-1)).toEqual({
      user: 'system:serviceaccount:n:sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
      resourceAttributes: { group: '', resource: 'configmaps', namespace: 't', name: 'a', verb: 'delete' },
    });
  });

  test('that lacks one right is denied in OCM’s words', async () => {
    const checking = checkExecutor(
      server((verb) => verb !== 'delete'),
      task,
      signal,
    );
    const words = 'not allowed to apply the resource  configmaps, t a, will try again in 1m0s';
    await expect(checking).rejects.toThrow(new ExecutorDeniedError(words));
  });

  test('that may not bind is denied as an escalation', async () => {
    const binding = { ...task, resource: rbac('RoleBinding', 'rolebindings') };
    const checking = checkExecutor(
      server((verb) => verb !== 'bind'),
      binding,
      signal,
    );
    await expect(checking).rejects.toThrow('error: permission escalation, will try again in 1m0s');
  });

  test('that is no service account is a mistake in the work', async () => {
    const nobody = { ...task, executor: { subject: { type: 'ServiceAccount' as const } } };
    await expect(
      checkExecutor(
        server(() => true),
        nobody,
        signal,
      ),
    ).rejects.toThrow(InvalidManifestError);
  });
});
