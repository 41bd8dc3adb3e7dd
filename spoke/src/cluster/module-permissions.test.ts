import type { KubeClient } from '@kmm-hub/kube';
import { expect, test, vi } from 'vitest';
import { askedPermissions, permissionsOf } from './module-permissions.ts';
import { moduleFixture } from './objects.fixture.ts';

const { signal } = new AbortController();
type Review = { spec: { user: string; resourceAttributes: unknown }; status?: { allowed: boolean } };

/** Stands for the API server's authorizer: allows these users, and remembers the questions. */
function fakeAuthorizer(...allowed: string[]) {
  const asked: Review[] = [];
  const create = async (_resource: unknown, review: Review) => {
    asked.push(review);
    return { ...review, status: { allowed: allowed.includes(review.spec.user) } };
  };
  return { asked, client: { create } as unknown as Pick<KubeClient, 'create'> };
}

test('the question is whether the service account may use the privileged SCC in its namespace', async () => {
  const { asked, client } = fakeAuthorizer('system:serviceaccount:a:loader');
  const permissions = askedPermissions(client);
  expect(await permissions.mayLoad({ namespace: 'a', name: 'loader' }, signal)).toBe(true);
  expect(await permissions.mayLoad({ namespace: 'b', name: 'loader' }, signal)).toBe(false);
  const scc = { group: 'security.openshift.io', resource: 'securitycontextconstraints' };
  expect(asked[0]?.spec).toEqual({
    user: 'system:serviceaccount:a:loader',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
    resourceAttributes: { ...scc, verb: 'use', name: 'privileged', namespace: 'a' },
  });
});

test('an answer, yes or no, is asked for once a minute', async () => {
  const { asked, client } = fakeAuthorizer();
  let now = 1;
  const permissions = askedPermissions(client, { now: () => now });
  const ask = () => permissions.mayLoad({ namespace: 'a', name: 'x' }, signal);
  await Promise.all([ask(), ask()]);
  now += 59_000;
  await ask();
  expect(asked).toHaveLength(1);
  now += 2_000;
  await ask();
  expect(asked).toHaveLength(2);
});

test('a question that fails is not remembered as an answer', async () => {
  const create = vi
    .fn()
    .mockRejectedValueOnce(new Error('down'))
    .mockResolvedValue({ status: { allowed: true } });
  const permissions = askedPermissions({ create });
  await expect(permissions.mayLoad({ namespace: 'a', name: 'x' }, signal)).rejects.toThrow('down');
  expect(await permissions.mayLoad({ namespace: 'a', name: 'x' }, signal)).toBe(true);
});

test('each Module is judged by its own service account', async () => {
  const { client } = fakeAuthorizer('system:serviceaccount:openshift-kmm:kmm-operator-module-loader');
  const [own, other] = [moduleFixture('a'), moduleFixture('b', { namespace: 'elsewhere' })];
  const deps = { permissions: askedPermissions(client), operatorNamespace: 'openshift-kmm' };
  const mayLoad = await permissionsOf([own, other], deps, signal);
  expect([mayLoad(own), mayLoad(other)]).toEqual([true, false]);
});
