import type { KernelMapping } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { nodeModuleEntry } from './node-module-entry.ts';
import { entryFixture, moduleFixture } from './objects.fixture.ts';

const serviceAccount = 'kmm-operator-module-loader';
const kernelMappings = [{ regexp: '.', containerImage: 'registry/kmod:${KERNEL_FULL_VERSION}' }];

test('the entry keeps the kernel as the node says it, also where the image tag cannot (W34)', () => {
  const kernel = '5.14.0-427.el9.x86_64+';
  const expected = entryFixture('kmod', kernel);
  expected.config.containerImage = 'registry/kmod:5.14.0-427.el9.x86_64';
  expect(nodeModuleEntry({ module: moduleFixture(), kernel, serviceAccount })).toEqual({ entry: expected });
});

test('the entry carries what the Module says of registry, secret, version and in-tree modules', () => {
  const container = {
    ...{ kernelMappings, version: 'v2', imagePullPolicy: 'Always', inTreeModulesToRemove: ['e1000'] },
    registryTLS: { insecureSkipTLSVerify: true },
  };
  const module = moduleFixture('kmod', { container, spec: {} });
  const secret = { ...module, spec: { ...module.spec, imageRepoSecret: { name: 'pull' } } };
  const { config, ...entry } = entryFixture('kmod', '6.1.0');
  expect(nodeModuleEntry({ module: secret, kernel: '6.1.0', serviceAccount })).toEqual({
    entry: {
      ...{ ...entry, imageRepoSecret: { name: 'pull' }, version: 'v2' },
      config: { ...config, insecurePull: true, imagePullPolicy: 'Always', inTreeModulesToRemove: ['e1000'] },
    },
  });
});

const mapped = (mapping: KernelMapping) => ({ container: { kernelMappings: [mapping] } });
// 512 characters have room in a Module; what they become on a node may not
const longName = `r/k:${'${KERNEL_FULL_VERSION}'.repeat(20)}`;

test.each([
  ['NoKernelMapping', '6.1.0', mapped({ literal: '5.4.0', containerImage: 'r/k:1' })],
  ['ImageWithoutTag', '6.1.0', mapped({ regexp: '.', containerImage: 'kmod' })],
  ['WrongKernelVersion', '6.1.0; reboot', {}],
  ['InvalidModuleConfig', `6.1.0-${'long'.repeat(10)}`, mapped({ regexp: '.', containerImage: longName })],
])('%s is a problem that a person is told what to do about', (reason, kernel, parts) => {
  const result = nodeModuleEntry({ module: moduleFixture('kmod', parts), kernel, serviceAccount });
  expect(result).toEqual({ problem: { reason, message: expect.stringMatching(/.{20}/) } });
});
