import { describe, expect, test } from 'vitest';
import { kernelPackagePattern, parseMadison } from './kernel-index.ts';

describe('kernelPackagePattern', () => {
  const cloud = { flavour: 'cloud', architecture: 'amd64' } as const;
  test.each([
    ['a cloud kernel of the series', { series: '6.1', name: 'linux-image-6.1.0-56-cloud-amd64', wanted: true }],
    [
      'a backported kernel with a plus',
      { series: '6.12', name: 'linux-image-6.12.117+deb12-cloud-amd64', wanted: true },
    ],
    ['an unsigned kernel', { series: '6.1', name: 'linux-image-6.1.0-56-cloud-amd64-unsigned', wanted: false }],
    ['debug symbols', { series: '6.1', name: 'linux-image-6.1.0-56-cloud-amd64-dbg', wanted: false }],
    ['a meta-package', { series: '6.12', name: 'linux-image-6.12-cloud-amd64', wanted: false }],
    ['another flavour', { series: '6.1', name: 'linux-image-6.1.0-56-rt-amd64', wanted: false }],
    ['a longer series', { series: '6.1', name: 'linux-image-6.12.117+deb12-cloud-amd64', wanted: false }],
    ['another architecture', { series: '6.1', name: 'linux-image-6.1.0-56-cloud-arm64', wanted: false }],
  ])('meets %s', (_what, { series, name, wanted }) => {
    expect(kernelPackagePattern({ ...cloud, series }).test(name)).toBe(wanted);
  });

  test('takes the kernel for real hardware apart from the cloud one', () => {
    const pattern = kernelPackagePattern({ series: '6.1', flavour: 'generic', architecture: 'amd64' });
    expect(pattern.test('linux-image-6.1.0-56-amd64')).toBe(true);
    expect(pattern.test('linux-image-6.1.0-56-cloud-amd64')).toBe(false);
  });
});

test('parseMadison takes the packages and leaves the sources', () => {
  const text = [
    'linux-image-6.1.0-56-cloud-amd64 |  6.1.192-2 | http://host/debian bookworm/main amd64 Packages',
    'linux-image-6.1.0-55-cloud-amd64 |  6.1.190-1 | http://host/debian bookworm/main amd64 Packages',
    '     linux |  6.1.192-2 | http://host/debian bookworm/main Sources',
  ].join('\n');
  expect(parseMadison(text)).toEqual([
    { package: 'linux-image-6.1.0-56-cloud-amd64', packageVersion: '6.1.192-2' },
    { package: 'linux-image-6.1.0-55-cloud-amd64', packageVersion: '6.1.190-1' },
  ]);
});
