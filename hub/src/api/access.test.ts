import type { KubeObject, Resource } from '@kmm-hub/api-types';
import { ForbiddenError, type KubeClient } from '@kmm-hub/kube';
import { beforeEach, expect, test } from 'vitest';
import { Access, type Proof } from './access.ts';
import { MissingRightError, UnauthenticatedError } from './errors.ts';

const { signal } = new AbortController();
const jane = { username: 'jane', uid: 'u1', groups: ['dev', 'system:authenticated'], extra: { scopes: ['all'] } };
const right = { verb: 'get', group: 'g', resource: 'moduleimages', subresource: 'log', name: 'a' };

/** Of the API server: knows the token "good" and lets jane. */
let asked: { kind: string; spec: unknown }[];
const client: Pick<KubeClient, 'create'> = {
  create: async <T extends KubeObject>({ kind }: Resource<T>, object: T) => {
    const { spec } = object as T & { spec: { token?: string; user?: string } };
    asked.push({ kind, spec });
    const status =
      kind === 'TokenReview' ? { authenticated: spec.token === 'good', user: jane } : { allowed: spec.user === 'jane' };
    return { ...object, status };
  },
};
beforeEach(() => {
  asked = [];
});

const bearer = (token: string): Proof => ({ authorization: `Bearer ${token}`, subject: undefined });

test('a token is whose the API server says it is', async () => {
  expect(await new Access(client).identify(bearer('good'), signal)).toEqual(jane);
  expect(asked).toEqual([{ kind: 'TokenReview', spec: { token: 'good' } }]);
});

test.each<[string, Proof]>([
  ['a token that the API server does not take', bearer('bad')],
  ['no proof at all', { authorization: undefined, subject: undefined }],
  ['a password', { authorization: `Basic ${btoa('jane:good')}`, subject: undefined }],
  ['a certificate without a name', { authorization: undefined, subject: { O: 'system:masters' } }],
  ['a certificate with two names', { authorization: undefined, subject: { CN: ['jane', 'admin'] } }],
  ['a token longer than any', bearer('x'.repeat(16_385))],
])('%s is nobody', async (_what, proof) => {
  await expect(new Access(client).identify(proof, signal)).rejects.toThrow(UnauthenticatedError);
});

test.each([
  ['one organization', 'dev', ['dev', 'system:authenticated']],
  ['several', ['dev', 'ops'], ['dev', 'ops', 'system:authenticated']],
  ['none', undefined, ['system:authenticated']],
])('a certificate with %s names user and groups, and no token is asked about', async (_count, O, groups) => {
  const subject = { CN: 'jane', ...(O && { O }) };
  expect(await new Access(client).identify({ ...bearer('good'), subject }, signal)).toEqual({
    username: 'jane',
    groups,
  });
  expect(asked).toEqual([]);
});

test('the right is asked for with all that is known of the user', async () => {
  await new Access(client).demand(jane, right, signal);
  const { username: user, ...who } = jane;
  expect(asked).toEqual([{ kind: 'SubjectAccessReview', spec: { user, ...who, resourceAttributes: right } }]);
});

test('a missing right is named', async () => {
  const denied = new Access(client).demand({ username: 'joe' }, right, signal);
  await expect(denied).rejects.toThrow(MissingRightError);
  await expect(denied).rejects.toThrow('user "joe" cannot get resource "moduleimages/log" named "a" in API group "g"');
});

test('an answer is believed for a while, of a wrong token and a missing right too', async () => {
  const access = new Access(client);
  for (const _time of [1, 2]) {
    await access.identify(bearer('good'), signal);
    await expect(access.identify(bearer('bad'), signal)).rejects.toThrow(UnauthenticatedError);
    await access.demand(jane, right, signal);
    await expect(access.demand({ username: 'joe' }, right, signal)).rejects.toThrow(MissingRightError);
  }
  expect(asked.length).toBe(4);
});

test('the oldest of too many answers is forgotten', async () => {
  const access = new Access(client, { rememberMs: 60_000, remembered: 2 });
  for (const name of ['a', 'b', 'c', 'a']) await access.demand(jane, { ...right, name }, signal);
  expect(asked.length).toBe(4);
});

test('an API server that does not answer lets nobody in', async () => {
  const refusing = { create: () => Promise.reject(new ForbiddenError('POST /x', 403, { message: 'no' })) };
  await expect(new Access(refusing).identify(bearer('good'), signal)).rejects.toThrow(ForbiddenError);
  await expect(new Access(refusing).demand(jane, right, signal)).rejects.toThrow(ForbiddenError);
});
