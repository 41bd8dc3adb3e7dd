import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidReferenceError } from './errors.ts';
import {
  formatReference,
  isLoopbackHost,
  isThisMachine,
  parseReference,
  repositoryOf,
  withDigest,
} from './reference.ts';

const sha = `sha256:${'a'.repeat(64)}`;

test.each([
  ['kmod', 'docker.io/library/kmod'],
  ['kmod:6.1', 'docker.io/library/kmod:6.1'],
  ['team/kmod', 'docker.io/team/kmod'],
  ['docker.io/kmod', 'docker.io/library/kmod'],
  ['index.docker.io/team/kmod', 'docker.io/team/kmod'],
  ['localhost/kmod', 'localhost/kmod'],
  ['localhost:5000', 'docker.io/library/localhost:5000'],
  ['localhost:5000/kmod', 'localhost:5000/kmod'],
  ['127.0.0.1:5000/a/b/kmod:6.1.0-53-amd64', '127.0.0.1:5000/a/b/kmod:6.1.0-53-amd64'],
  ['[::1]:5000/kmod:1', '[::1]:5000/kmod:1'],
  ['Registry/kmod', 'Registry/kmod'],
  [`quay.io/team/kmod@${sha}`, `quay.io/team/kmod@${sha}`],
  [`quay.io/team/kmod:v1@${sha}`, `quay.io/team/kmod:v1@${sha}`],
  ['quay.io/a__b/c-d.e--f:T_.-', 'quay.io/a__b/c-d.e--f:T_.-'],
])('%s means %s', (text, want) => {
  expect(formatReference(parseReference(text))).toBe(want);
});

test.each([
  '',
  ':tag',
  'kmod:',
  'kmod@',
  'KMOD',
  'quay.io/Team/kmod',
  'quay.io/team//kmod',
  'quay.io/../kmod',
  'quay.io/kmod:6.1+deb',
  'quay.io/kmod@sha256:abc',
  `quay.io/kmod@${sha}@${sha}`,
  'quay.io/kmod?x',
  'dir:/etc',
  'docker-archive:/x.tar',
  'user@quay.io/kmod',
  `quay.io/${'a'.repeat(600)}`,
])('%j is no image reference', (text) => {
  expect(() => parseReference(text)).toThrow(InvalidReferenceError);
});

test('a repository has neither tag nor digest', () => {
  expect(repositoryOf(`quay.io/team/kmod:v1@${sha}`)).toBe('quay.io/team/kmod');
});

test('a digest replaces tag and digest, and must be one', () => {
  expect(withDigest('kmod:v1', sha)).toBe(`docker.io/library/kmod@${sha}`);
  expect(() => withDigest('kmod:v1', 'sha256:zz')).toThrow(InvalidReferenceError);
});

test('only names that cannot leave this machine are loopback', () => {
  expect(['localhost', 'localhost:5000', '127.0.0.1:1', '127.9.9.9', '[::1]:5000'].every(isLoopbackHost)).toBe(true);
  expect(['localhost.example', '127.0.0.1.example', '10.0.0.1', 'evil127.0.0.1'].some(isLoopbackHost)).toBe(false);
});

test.each([
  ['localhost:6379', true],
  ['a.localhost', true],
  ['localhost.', true],
  ['127.8.0.1:1', true],
  ['0.0.0.0:6379', true],
  ['169.254.169.254', true],
  ['[::]:80', true],
  ['[::1]:6443', true],
  ['[::ffff:7f00:1]', true],
  ['[fe80::1]', true],
  ['[fd00:ec2::254]', true],
  ['10.0.0.1:5000', false],
  ['registry.example:5000', false],
  ['localhost.example', false],
  ['[2001:db8::1]:443', false],
])('the services of this machine are behind %s: %s', (host, wanted) => {
  expect(isThisMachine(host)).toBe(wanted);
});

test('what is parsed and formatted once stays as it is', () => {
  const property = fc.property(fc.string({ unit: fc.constantFrom(...'aB1.:/@-_') }), (text) => {
    let once: string;
    try {
      once = formatReference(parseReference(text));
    } catch (err) {
      expect(err).toBeInstanceOf(InvalidReferenceError);
      return;
    }
    expect(formatReference(parseReference(once))).toBe(once);
  });
  fc.assert(property, { numRuns: 2000 });
});
