import type { Module } from '@kmm-hub/api-types';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { moduleWith } from '../../test-objects.fixture.ts';
import { manifestWorkFor } from './manifest-work.ts';
import type { KernelImage } from './plan.ts';

const KERNEL = '5.14.0-1.el9.x86_64';
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const imageOf = (kernel: string, letter = 'a'): KernelImage => ({
  reference: `r.example/k@${digest(letter)}`,
  tag: `r.example/k:${kernel}`,
});
const worked = () => moduleWith({ container: { sign: { keySecret: { name: 'key' }, certSecret: { name: 'cert' }, filesToSign: [] } } });
const moduleIn = (work: ReturnType<typeof manifestWorkFor>) => work.spec.workload?.manifests?.[0] as unknown as Module;
const containerIn = (work: ReturnType<typeof manifestWorkFor>) => moduleIn(work).spec.moduleLoader?.container;

describe('the work of one cluster', () => {
  test("is upstream's worked example (KMM v2.6 §4.3) with digests, tags, server-side apply and our feedback", async () => {
    const work = manifestWorkFor(worked(), 'edge-7', new Map([[KERNEL, imageOf(KERNEL)]]));
    const yaml = stringify(work, { lineWidth: 0, sortMapEntries: true });
    await expect(yaml).toMatchFileSnapshot('./nic.edge-7.golden.yaml');
  });

  test('does not depend on the clusters before it, and changes nothing of the module (W1)', () => {
    const owner = deepFreeze(worked());
    const first = manifestWorkFor(owner, 'edge-7', new Map([[KERNEL, imageOf(KERNEL)]]));
    const text = JSON.stringify(first);
    const second = manifestWorkFor(owner, 'edge-8', new Map([['6.1.0', imageOf('6.1.0', 'b')]]));
    expect(containerIn(second)?.kernelMappings).toEqual([{ literal: '6.1.0', containerImage: `r.example/k@${digest('b')}` }]);
    expect(owner.spec.moduleSpec?.moduleLoader?.container.build).toBeDefined();
    Object.assign(containerIn(second) ?? {}, { kernelMappings: [] });
    expect(JSON.stringify(first)).toBe(text);
  });

  test('has in-tree modules in its mappings alone, where spokes take them (W8)', () => {
    const owner = moduleWith({ container: { inTreeModuleToRemove: 'old_nic', inTreeModulesToRemove: ['older_nic'] } as never });
    const image = { ...imageOf(KERNEL), inTreeModulesToRemove: ['old_nic'], registryTLS: { insecure: true } };
    const container = containerIn(manifestWorkFor(owner, 'c', new Map([[KERNEL, image]])));
    expect(Object.keys(container ?? {}).sort()).toEqual(['kernelMappings', 'modprobe']);
    expect(container?.kernelMappings).toEqual([
      { literal: KERNEL, containerImage: image.reference, inTreeModulesToRemove: ['old_nic'], registryTLS: { insecure: true } },
    ]);
  });

  test('carries a module without a loader as it is (W13)', () => {
    const moduleSpec = { selector: { a: 'b' }, devicePlugin: { container: { image: 'r/dp:1' } } };
    const owner = moduleWith({ spec: { moduleSpec } as never });
    expect(moduleIn(manifestWorkFor(owner, 'c', new Map()))).toEqual({
      apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
      kind: 'Module',
      metadata: { name: 'nic', namespace: 'drivers' },
      spec: moduleSpec,
    });
  });

  test('sorts its kernels, "+" included, and keeps the tags beside', () => {
    const kernels = ['6.12.9+deb12-amd64', '5.14.0', '6.12.9'];
    const work = manifestWorkFor(moduleWith(), 'c', new Map(kernels.map((kernel) => [kernel, imageOf(kernel)])));
    expect(containerIn(work)?.kernelMappings?.map(({ literal }) => literal)).toEqual(['5.14.0', '6.12.9', '6.12.9+deb12-amd64']);
    expect(JSON.parse(work.metadata.annotations?.['hub.kmm.sigs.x-k8s.io/image-tags'] ?? '')).toEqual({
      '6.12.9+deb12-amd64': 'r.example/k:6.12.9+deb12-amd64',
      '5.14.0': 'r.example/k:5.14.0',
      '6.12.9': 'r.example/k:6.12.9',
    });
  });
});

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
