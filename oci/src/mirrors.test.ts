import { expect, test } from 'vitest';
import { type Mirror, type MirrorRule, planPull } from './mirrors.ts';

const sha = `sha256:${'a'.repeat(64)}`;
const mirror = (location: string, overrides: Partial<Mirror> = {}): Mirror => ({
  location,
  use: 'all',
  insecure: false,
  ...overrides,
});
const rule = (prefix: string, overrides: Partial<MirrorRule> = {}): MirrorRule => ({
  prefix,
  mirrors: [],
  insecure: false,
  blocked: false,
  ...overrides,
});
const cached = rule('quay.io', { mirrors: [mirror('m1.example/quay'), mirror('m2.example:5000')] });
const split = rule('quay.io', {
  mirrors: [mirror('d.example', { use: 'digest-only' }), mirror('t.example', { use: 'tag-only' })],
});

test.each<[string, string, MirrorRule[], string[]]>([
  ['the source where no rule matches', 'quay.io/team/kmod:1', [rule('other.io')], ['quay.io/team/kmod:1']],
  [
    'mirrors in their order, then the source',
    'quay.io/team/kmod:1',
    [cached],
    ['m1.example/quay/team/kmod:1', 'm2.example:5000/team/kmod:1', 'quay.io/team/kmod:1'],
  ],
  [
    'the mirrors of the longest prefix only',
    'quay.io/team/kmod:1',
    [cached, rule('quay.io/team', { mirrors: [mirror('team.example/x')] })],
    ['team.example/x/kmod:1', 'quay.io/team/kmod:1'],
  ],
  [
    'no mirror of a prefix that ends within a name',
    'quay.io/teammates/kmod:1',
    [rule('quay.io/team', { mirrors: [mirror('team.example')] })],
    ['quay.io/teammates/kmod:1'],
  ],
  [
    'no mirror of another port',
    'quay.io:8443/kmod:1',
    [rule('quay.io:844', { mirrors: [mirror('m')] })],
    ['quay.io:8443/kmod:1'],
  ],
  ['mirrors for digests', `quay.io/kmod@${sha}`, [split], [`d.example/kmod@${sha}`, `quay.io/kmod@${sha}`]],
  ['mirrors for tags', 'quay.io/kmod:1', [split], ['t.example/kmod:1', 'quay.io/kmod:1']],
  [
    'mirrors for digests, tag or not',
    `quay.io/kmod:1@${sha}`,
    [split],
    [`d.example/kmod:1@${sha}`, `quay.io/kmod:1@${sha}`],
  ],
  [
    'another location of the source',
    'old.io/a/kmod:1',
    [rule('old.io/a', { location: 'new.io/b' })],
    ['new.io/b/kmod:1'],
  ],
  [
    'one repository by its whole name',
    'quay.io/team/kmod:1',
    [rule('quay.io/team/kmod', { mirrors: [mirror('m.example/copy')] })],
    ['m.example/copy:1', 'quay.io/team/kmod:1'],
  ],
  [
    'hosts below a domain',
    'a.example.com:5000/kmod:1',
    [rule('*.example.com', { mirrors: [mirror('m.example')] })],
    ['m.example/kmod:1', 'a.example.com:5000/kmod:1'],
  ],
  ['not the domain itself', 'example.com/kmod:1', [rule('*.example.com', { blocked: true })], ['example.com/kmod:1']],
  [
    'Docker Hub by its full name',
    'kmod:1',
    [rule('docker.io', { mirrors: [mirror('hub.example/cache')] })],
    ['hub.example/cache/library/kmod:1', 'docker.io/library/kmod:1'],
  ],
  [
    'mirrors alone where the source is blocked',
    'quay.io/kmod:1',
    [{ ...cached, blocked: true }],
    ['m1.example/quay/kmod:1', 'm2.example:5000/kmod:1'],
  ],
  [
    'no mirror that is blocked itself',
    'quay.io/kmod:1',
    [cached, rule('m1.example', { blocked: true })],
    ['m2.example:5000/kmod:1', 'quay.io/kmod:1'],
  ],
])('planPull gives %s', (...[, reference, rules, want]) => {
  expect(planPull(reference, rules).map((candidate) => candidate.reference)).toEqual(want);
});

test('planPull tells which places are insecure', () => {
  const rules = [
    rule('quay.io', { insecure: true, mirrors: [mirror('m.example'), mirror('n.example', { insecure: true })] }),
  ];
  expect(planPull('quay.io/kmod', rules).map(({ insecure }) => insecure)).toEqual([false, true, true]);
});

test('planPull refuses what is blocked and has no mirror', () => {
  const blocked = expect.objectContaining({ code: 'RegistryBlocked' });
  expect(() => planPull('quay.io/kmod:1', [rule('quay.io', { blocked: true })])).toThrow(blocked);
  expect(() => planPull('quay.io/kmod:1', [{ ...split, mirrors: split.mirrors.slice(0, 1), blocked: true }])).toThrow(
    blocked,
  );
});
