import { expect, test } from 'vitest';
import { type ImageState, type KernelImage, planWork, type WorkInput, type WorkPlan } from './plan.ts';

const KERNEL = '6.1.0-53-amd64';
const OTHER = '6.12.9+deb12-amd64';
const imageOf = (digest: string): KernelImage => ({ reference: `r/kmod@sha256:${digest}`, tag: 'r/kmod:6.1' });
const published = (digest: string): ImageState => ({ phase: 'Published', image: imageOf(digest) });
const pending: ImageState = { phase: 'Pending', progress: 'a worker builds it' };
const blocked: ImageState = { phase: 'Blocked', reason: 'BuildFailed', message: 'the build failed' };
const unmapped: ImageState = { phase: 'Unmapped' };
const states = (...entries: [string, ImageState][]) => new Map(entries);
const literals = (...entries: [string, KernelImage][]) => new Map(entries);

const waitsForImage = {
  reason: 'ImagesPending',
  message: `the image for kernel ${KERNEL} (a worker builds it) is not ready yet`,
  pending: true,
};
const waitsForPerson = { reason: 'BuildFailed', message: `kernel ${KERNEL}: the build failed`, pending: false };
const tooOld = { reason: 'ClusterTooOld', message: 'dra needs Kubernetes 1.34' };
const base: WorkInput = { selected: true, loadsModule: true, images: states([KERNEL, published('aa')]) };
const aa = literals([KERNEL, imageOf('aa')]);

test.each<[string, Partial<WorkInput>, WorkPlan]>([
  ['a published image becomes a literal', {}, { action: 'apply', literals: aa }],
  ['a deselected cluster loses its work, whatever its images', { selected: false, current: aa }, { action: 'delete' }],
  [
    'a cluster that cannot run the module gets no work, whatever its images',
    { problem: tooOld },
    { action: 'hold', waiting: { ...tooOld, pending: false } },
  ],
  [
    'a cluster that can no longer run the module keeps its work',
    { problem: tooOld, images: states(), current: aa },
    { action: 'hold', waiting: { ...tooOld, pending: false } },
  ],
  [
    'of a cluster that cannot run the module only that is told',
    { problem: tooOld, images: states([KERNEL, blocked], [OTHER, unmapped]), left: ['7.0.0'] },
    { action: 'hold', waiting: { ...tooOld, pending: false } },
  ],
  [
    'a module that loads nothing gets no work either on a cluster that cannot run it',
    { problem: tooOld, loadsModule: false, images: states() },
    { action: 'hold', waiting: { ...tooOld, pending: false } },
  ],
  [
    'a deselected cluster loses its work also when it cannot run the module',
    { problem: tooOld, selected: false, current: aa },
    { action: 'delete' },
  ],
  [
    'a module that loads nothing has a work without literals (W13)',
    { loadsModule: false, images: states() },
    { action: 'apply', literals: literals() },
  ],
  [
    'a new image takes the place of the old one',
    { current: literals([KERNEL, imageOf('old')]) },
    { action: 'apply', literals: aa },
  ],
  [
    'the old image stays while the new one is pending',
    { images: states([KERNEL, pending]), current: aa },
    { action: 'apply', literals: aa, waiting: waitsForImage },
  ],
  [
    'the old image stays while the new one needs a person',
    { images: states([KERNEL, blocked]), current: aa },
    { action: 'apply', literals: aa, waiting: waitsForPerson },
  ],
  [
    'nothing is written before the first image is ready',
    { images: states([KERNEL, pending]) },
    { action: 'hold', waiting: waitsForImage },
  ],
  [
    'a kernel that is ready does not wait for another one (W14)',
    { images: states([KERNEL, published('aa')], [OTHER, pending]) },
    {
      action: 'apply',
      literals: aa,
      waiting: {
        reason: 'ImagesPending',
        message: `the image for kernel ${OTHER} (a worker builds it) is not ready yet`,
        pending: true,
      },
    },
  ],
  [
    'what needs a person is told before what is pending',
    { images: states([OTHER, pending], [KERNEL, blocked]) },
    { action: 'hold', waiting: waitsForPerson },
  ],
  [
    'several pending kernels are told together',
    { images: states([KERNEL, pending], [OTHER, { phase: 'Pending', progress: 'it waits for a worker' }]) },
    {
      action: 'hold',
      waiting: {
        reason: 'ImagesPending',
        message: `the image for kernels ${KERNEL} (a worker builds it), ${OTHER} (it waits for a worker) is not ready yet`,
        pending: true,
      },
    },
  ],
  [
    'a kernel that lost its mapping loses its literal',
    {
      images: states([KERNEL, published('aa')], [OTHER, unmapped]),
      current: literals([KERNEL, imageOf('aa')], [OTHER, imageOf('bb')]),
    },
    {
      action: 'apply',
      literals: aa,
      uncovered: {
        reason: 'NoKernelMapping',
        message: `no kernel mapping matches kernel ${OTHER}; add one to moduleLoader.container`,
      },
    },
  ],
  [
    'a kernel that left the cluster loses its literal',
    { current: literals([KERNEL, imageOf('aa')], [OTHER, imageOf('bb')]) },
    { action: 'apply', literals: aa },
  ],
  [
    'a work never becomes empty: it stays, and says that no mapping matches',
    { images: states([KERNEL, unmapped], [OTHER, unmapped]), current: aa },
    {
      action: 'hold',
      waiting: {
        reason: 'NoKernelMapping',
        message: `no kernel mapping matches kernels ${KERNEL}, ${OTHER}; add one to moduleLoader.container`,
        pending: false,
      },
      uncovered: {
        reason: 'NoKernelMapping',
        message: `no kernel mapping matches kernels ${KERNEL}, ${OTHER}; add one to moduleLoader.container`,
      },
    },
  ],
  [
    'a kernel that another architecture has the image of keeps its literal, and needs a person',
    {
      images: states([KERNEL, published('aa')]),
      excluded: new Map([[KERNEL, { reason: 'ArchitectureConflict', message: 'made for amd64' }]]),
    },
    {
      action: 'apply',
      literals: aa,
      waiting: { reason: 'ArchitectureConflict', message: `kernel ${KERNEL}: made for amd64`, pending: false },
    },
  ],
  [
    'kernels over the limit are told, and the others are served',
    { left: Array.from({ length: 12 }, (_, index) => `7.0.${index}`) },
    {
      action: 'apply',
      literals: aa,
      uncovered: {
        reason: 'TooManyKernels',
        message:
          'the cluster reports 13 kernels, of which only the first 1 by name gets images; left out: ' +
          '7.0.0, 7.0.1, 7.0.2, 7.0.3, 7.0.4, 7.0.5, 7.0.6, 7.0.7, 7.0.8, 7.0.9 and 2 more. ' +
          'See that its agents report only kernels that run there',
      },
    },
  ],
  [
    'a cluster without kernels is waited for',
    { images: states() },
    {
      action: 'hold',
      waiting: {
        reason: 'NoKernels',
        message: 'the cluster has reported no kernel yet; check that its agents run and that it has joined',
        pending: true,
      },
    },
  ],
])('%s', (_rule, given, want) => {
  expect(planWork({ ...base, ...given })).toEqual(want);
});
