import { expect, test } from 'vitest';
import { DockerConfigError, dockerConfigAuth, firstAuth } from './credentials.ts';

const auth = (text: string) => Buffer.from(text).toString('base64');
const config = JSON.stringify({
  auths: {
    'quay.io': { auth: auth('host:a:b') },
    'quay.io/team': { auth: auth('team:pw') },
    'https://index.docker.io/v1/': { username: 'docker', password: 'pw' },
    'registry.example:5000': { auth: '' },
  },
});

test.each([
  ['quay.io', 'other/kmod', { username: 'host', password: 'a:b' }],
  ['quay.io', 'team/kmod', { username: 'team', password: 'pw' }],
  ['quay.io', 'teammates/kmod', { username: 'host', password: 'a:b' }],
  ['docker.io', 'library/kmod', { username: 'docker', password: 'pw' }],
  ['registry.example:5000', 'kmod', undefined],
  ['registry.example', 'kmod', undefined],
])('the credential for %s/%s is the one of the longest prefix', (host, path, want) => {
  expect(dockerConfigAuth(config)({ host, path })).toEqual(want);
});

test('the old form without auths is understood', () => {
  const old = JSON.stringify({ 'quay.io': { auth: auth('u:p') } });
  expect(dockerConfigAuth(old)({ host: 'quay.io', path: 'kmod' })).toEqual({ username: 'u', password: 'p' });
});

test.each(['not json: hunter2', '[]', '"hunter2"', '{"auths": ["hunter2"]}'])(
  '%s is refused without being quoted',
  (text) => {
    expect(() => dockerConfigAuth(text)).toThrow(DockerConfigError);
    expect(() => dockerConfigAuth(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  },
);

test('the first source that knows a credential wins', () => {
  const known = { username: 'u', password: 'p' };
  expect(
    firstAuth(
      () => undefined,
      () => known,
    )({ host: 'quay.io', path: 'kmod' }),
  ).toBe(known);
});
