import { expect, test } from 'vitest';
import { automaticBuildArgs, mergeBuildArgs, usesToolkit } from './build-args.ts';
import type { TrimmedKernelVersion } from './kernel-version.ts';

const module = {
  kernel: '6.12.9+deb12-amd64' as TrimmedKernelVersion,
  moduleName: 'kmod',
  moduleNamespace: 'spoke-ns',
};

test('automatic build arguments carry the kernel as it is, not normalised', () => {
  expect(automaticBuildArgs(module)).toEqual([
    { name: 'KERNEL_FULL_VERSION', value: '6.12.9+deb12-amd64' },
    { name: 'KERNEL_VERSION', value: '6.12.9+deb12-amd64' },
    { name: 'MOD_NAME', value: 'kmod' },
    { name: 'MOD_NAMESPACE', value: 'spoke-ns' },
  ]);
});

test('automatic build arguments name the toolkit image when there is one', () => {
  const [first, ...others] = automaticBuildArgs({ ...module, toolkitImage: 'r/toolkit:6.12.9' });
  expect(first).toEqual({ name: 'DTK_AUTO', value: 'r/toolkit:6.12.9' });
  expect(others).toEqual(automaticBuildArgs(module));
});

test('automatic build arguments override the user, and the missing ones follow', () => {
  const user = [
    { name: 'MOD_NAME', value: 'mine' },
    { name: 'A', value: '1' },
  ];
  expect(mergeBuildArgs(user, automaticBuildArgs(module))).toEqual([
    { name: 'MOD_NAME', value: 'kmod' },
    { name: 'A', value: '1' },
    { name: 'KERNEL_FULL_VERSION', value: '6.12.9+deb12-amd64' },
    { name: 'KERNEL_VERSION', value: '6.12.9+deb12-amd64' },
    { name: 'MOD_NAMESPACE', value: 'spoke-ns' },
  ]);
});

test('an empty override is a value', () => {
  expect(mergeBuildArgs([{ name: 'A', value: '1' }], [{ name: 'A', value: '' }])).toEqual([{ name: 'A', value: '' }]);
});

test.each([
  ['ARG DTK_AUTO\nFROM ${DTK_AUTO}', true],
  ['# DTK_AUTO', true],
  ['ARG dtk_auto', false],
  ['', false],
])('usesToolkit of %j is %j', (dockerfile, uses) => {
  expect(usesToolkit(dockerfile)).toBe(uses);
});
