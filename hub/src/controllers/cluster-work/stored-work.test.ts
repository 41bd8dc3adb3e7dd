import type { ManifestWork } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { moduleWith } from '../../test-objects.fixture.ts';
import { manifestWorkFor } from './manifest-work.ts';
import type { KernelImage } from './plan.ts';
import { literalsOf, sameWork } from './stored-work.ts';

const KERNEL = '6.1.0-53-amd64';
const image: KernelImage = {
  reference: `r/k@sha256:${'a'.repeat(64)}`,
  tag: 'r/k:6.1',
  inTreeModulesToRemove: ['old'],
  registryTLS: { insecure: true },
};
const wanted = manifestWorkFor(moduleWith(), 'c1', new Map([[KERNEL, image]]));

/** As the API server gives it back: with its own metadata, and the defaults of the CRD. */
function stored(): ManifestWork {
  const work = structuredClone(wanted);
  const server = { uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const [config] = work.spec.manifestConfigs ?? [];
  return {
    ...work,
    metadata: { ...work.metadata, ...server },
    spec: {
      ...work.spec,
      deleteOption: { propagationPolicy: 'Foreground' },
      manifestConfigs: [{ ...config, feedbackScrapeType: 'Poll' } as never],
    },
  };
}
const edited = (edit: (work: ManifestWork) => unknown): ManifestWork => {
  const work = stored();
  edit(work);
  return work;
};
const manifest = (work: ManifestWork) => work.spec.workload?.manifests?.[0] as Record<string, unknown>;

test('a work is right as the API server stores it, with its defaults', () => {
  expect(sameWork(wanted, stored())).toBe(true);
});

test('labels and annotations of others do not matter', () => {
  const work = edited(({ metadata }) => {
    Object.assign(metadata.labels ?? {}, { theirs: 'x' });
    Object.assign(metadata.annotations ?? {}, { theirs: 'x' });
  });
  expect(sameWork(wanted, work)).toBe(true);
});

test.each<[string, (work: ManifestWork) => unknown]>([
  ['its manifest has another value', (work) => Object.assign(manifest(work), { spec: {} })],
  ['its manifest has a field too many', (work) => Object.assign(manifest(work), { status: {} })],
  ['a manifest was added', ({ spec }) => spec.workload?.manifests?.push({ metadata: { name: 'x' } } as never)],
  [
    'it is applied in another way',
    ({ spec }) => Object.assign(spec.manifestConfigs?.[0] ?? {}, { updateStrategy: { type: 'Update' } }),
  ],
  ['it feeds less back', ({ spec }) => Object.assign(spec.manifestConfigs?.[0] ?? {}, { feedbackRules: [] })],
  ['its label is gone', ({ metadata }) => Object.assign(metadata, { labels: {} })],
  ['its tags were edited', ({ metadata }) => Object.assign(metadata, { annotations: {} })],
  [
    'its owner came back under another uid',
    ({ metadata }) => Object.assign(metadata.ownerReferences?.[0] ?? {}, { uid: 'old' }),
  ],
  ['it has no owner', ({ metadata }) => Object.assign(metadata, { ownerReferences: undefined })],
])('a work is written again when %s', (_difference, edit) => {
  expect(sameWork(wanted, edited(edit))).toBe(false);
});

test('the literals of a work are read back whole', () => {
  expect(literalsOf(stored())).toEqual(new Map([[KERNEL, image]]));
});

test('without readable tags the reference stands in for the tag', () => {
  const work = edited(({ metadata }) =>
    Object.assign(metadata, { annotations: { 'hub.kmm.sigs.x-k8s.io/image-tags': '{' } }),
  );
  expect(literalsOf(work).get(KERNEL)?.tag).toBe(image.reference);
});

const upstreamMapping = {
  build: null,
  registryTLS: null,
  regexp: '',
  inTreeModuleToRemove: '',
  inTreeModulesToRemove: null,
};
const upstream = (kernelMappings: unknown): ManifestWork => ({
  metadata: { name: 'nic', namespace: 'c1' },
  spec: {
    workload: {
      manifests: [
        { spec: { devicePlugin: null, moduleLoader: { container: { kernelMappings } } }, status: {} } as never,
      ],
    },
  },
});

test.each<[string, ManifestWork, Map<string, KernelImage>]>([
  [
    "upstream's nulls and empty strings are absent fields",
    upstream([{ ...upstreamMapping, literal: KERNEL, containerImage: 'r/k:1' }]),
    new Map([[KERNEL, { reference: 'r/k:1', tag: 'r/k:1' }]]),
  ],
  ["upstream's emptied mappings are none (W1)", upstream([]), new Map()],
  ['mappings that are null are none', upstream(null), new Map()],
  ['a mapping without an image is none', upstream([{ literal: KERNEL, containerImage: '' }]), new Map()],
  ['a work without manifests has none', { metadata: { name: 'nic' }, spec: {} }, new Map()],
  [
    'a work with another manifest has none',
    { metadata: { name: 'nic' }, spec: { workload: { manifests: [{ metadata: { name: 'x' } }] } } },
    new Map(),
  ],
])('%s', (_rule, work, literals) => {
  expect(literalsOf(work)).toEqual(literals);
});
