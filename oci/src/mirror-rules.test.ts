import { expect, test } from 'vitest';
import { MirrorRulesError, mirrorSetRules, readRegistriesConf } from './mirror-rules.ts';

const conf = `
unqualified-search-registries = ["docker.io"]
short-name-mode = "enforcing"

[[registry]]
prefix = "quay.io/team"
location = "internal.example/team/"
insecure = true

[[registry.mirror]]
location = "m1.example:5000/team"
insecure = true

[[registry.mirror]]
location = "m2.example"
pull-from-mirror = "tag-only"

[[registry]]
location = "registry.example"
mirror-by-digest-only = true
blocked = true
[[registry.mirror]]
location = "m3.example"

[[registry]]
prefix = "*.example.com"
`;

test('a registries.conf becomes rules', () => {
  const plain = { mirrors: [], insecure: false, blocked: false, location: undefined };
  expect(readRegistriesConf(conf)).toEqual([
    {
      prefix: 'quay.io/team',
      location: 'internal.example/team',
      insecure: true,
      blocked: false,
      mirrors: [
        { location: 'm1.example:5000/team', use: 'all', insecure: true },
        { location: 'm2.example', use: 'tag-only', insecure: false },
      ],
    },
    {
      ...plain,
      prefix: 'registry.example',
      blocked: true,
      mirrors: [{ location: 'm3.example', use: 'digest-only', insecure: false }],
    },
    { ...plain, prefix: '*.example.com' },
  ]);
});

test('an empty registries.conf has no rules', () => {
  expect(readRegistriesConf('')).toEqual([]);
});

test.each([
  ['no TOML', '[[registry'],
  ['the form of version 1', '[registries.search]\nregistries = []\n[registry]\nlocation = "a.io"'],
  ['an entry without names', '[[registry]]\nblocked = true'],
  ['a prefix without location', '[[registry]]\nprefix = "quay.io"'],
  ['a mirror without location', '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\ninsecure = true'],
  ['a number for a text', '[[registry]]\nlocation = 7'],
  ['a text for a flag', '[[registry]]\nlocation = "a.io"\nblocked = "no"'],
  ['an unknown use', '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "x"'],
  [
    'two settings of one thing',
    '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "all"',
  ],
])('a registries.conf with %s is refused', (_case, text) => {
  expect(() => readRegistriesConf(text)).toThrow(MirrorRulesError);
});

test('mirror sets for one source are joined, and the stricter policy holds', () => {
  const rules = mirrorSetRules([
    { imageDigestMirrors: [{ source: 'quay.io/team', mirrors: ['m1.example/team'] }] },
    {
      imageTagMirrors: [{ source: 'quay.io/team', mirrors: ['m2.example'], mirrorSourcePolicy: 'NeverContactSource' }],
    },
  ]);
  expect(rules).toEqual([
    {
      prefix: 'quay.io/team',
      insecure: false,
      blocked: true,
      mirrors: [
        { location: 'm1.example/team', use: 'digest-only', insecure: false },
        { location: 'm2.example', use: 'tag-only', insecure: false },
      ],
    },
  ]);
});
