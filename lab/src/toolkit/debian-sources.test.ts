import { expect, test } from 'vitest';
import { NoDebianSourcesError, parseIndexTargets } from './debian-sources.ts';

test('only what Debian signs is a source, each once, and the release is named without its suffix', () => {
  const text = [
    'Docker|https://other/debian/|bookworm|stable',
    'Debian|https://host/debian/|bookworm-updates|main',
    'Debian|https://host/debian/|bookworm|main',
    'Debian|https://host/debian/|bookworm|main',
  ].join('\n');
  expect(parseIndexTargets(text, '/keys.gpg')).toEqual({
    suite: 'bookworm',
    sources: [
      'deb [signed-by=/keys.gpg] https://host/debian/ bookworm-updates main',
      'deb [signed-by=/keys.gpg] https://host/debian/ bookworm main',
    ],
  });
});

test('a machine without Debian sources is told so', () => {
  expect(() => parseIndexTargets('Ubuntu|https://host/|noble|main', undefined)).toThrow(NoDebianSourcesError);
});
