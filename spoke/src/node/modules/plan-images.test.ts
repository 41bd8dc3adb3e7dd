import type { ModuleConfig, NodeModuleSpec } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { imageFolderName, manifestFileName, selectionFolderName, selectionOf } from './image-places.ts';
import { type ImageRemovalInput, planImageRemoval } from './plan-images.ts';

const RELEASE = '6.1.0-53-amd64';
const [DIGEST_A, DIGEST_B, INDEX] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
];
const key = { namespace: 'drivers', name: 'hello', serviceAccountName: 'loader' };
const [BOOT, EARLIER] = [{ bootId: 'boot-2' }, { bootId: 'boot-1' }];

function config(reference: string, overrides: Partial<ModuleConfig> = {}): ModuleConfig {
  const modprobe = { moduleName: 'hello', dirName: '/opt' };
  const containerImage = `r.example/hello${reference}`;
  return { kernelVersion: RELEASE, containerImage, insecurePull: false, modprobe, ...overrides };
}

const [A, B, TAG] = [config(`@${DIGEST_A}`), config(`@${DIGEST_B}`), config(':1')];
const VIA_INDEX = config(`@${INDEX}`);
const OTHER_KERNEL = { ...A, kernelVersion: '6.12.9+deb12-amd64' };
const WITH_FIRMWARE = { ...A, modprobe: { ...A.modprobe, firmwarePath: '/firmware' } };
const wanted = (of: ModuleConfig): NodeModuleSpec => ({ ...key, config: of });
const loaded = (of: ModuleConfig) => ({ ...key, config: of, ...BOOT });
const error = { reason: 'RegistryUnreachable', message: 'it is away', nextAttempt: '2026-01-01T00:00:00Z' };

const fileOf = ({ containerImage }: ModuleConfig) => manifestFileName(containerImage);
const folderOf = (of: ModuleConfig, release = of.kernelVersion) => selectionFolderName(selectionOf(of, release));
const [FOLDER_A, FOLDER_B] = [imageFolderName(DIGEST_A), imageFolderName(DIGEST_B)];

/** The disk after both images were pulled by digest. */
const BOTH: ImageRemovalInput = {
  spec: [],
  status: [],
  intents: [],
  manifests: new Map([
    [fileOf(A), DIGEST_A],
    [fileOf(B), DIGEST_B],
  ]),
  images: new Map([
    [FOLDER_A, [folderOf(A)]],
    [FOLDER_B, [folderOf(B)]],
  ]),
};
const ALL_OF_A = [`manifests/${fileOf(A)}`, FOLDER_A];
const ALL_OF_B = [`manifests/${fileOf(B)}`, FOLDER_B];

test.each<[string, Partial<ImageRemovalInput>, string[]]>([
  ['removes what nothing names', {}, [...ALL_OF_A, ...ALL_OF_B]],
  ['keeps what is to be loaded, and removes the rest', { spec: [wanted(B)] }, ALL_OF_A],
  [
    'keeps what waits for another kernel',
    { spec: [wanted(OTHER_KERNEL)], images: imagesOf(OTHER_KERNEL) },
    [`manifests/${fileOf(B)}`],
  ],
  ['keeps the image of before until the new one is loaded', { spec: [wanted(B)], status: [loaded(A)] }, []],
  ['keeps the image of before while the new one fails', { spec: [wanted(B)], status: [{ ...loaded(A), error }] }, []],
  [
    'keeps the image of before over a reboot until the new one is loaded',
    { spec: [wanted(B)], status: [{ ...loaded(A), ...EARLIER }] },
    [],
  ],
  ['removes the image of before once the new one is loaded', { spec: [wanted(B)], status: [loaded(B)] }, ALL_OF_A],
  ['keeps what is still to be unloaded', { status: [loaded(A)] }, ALL_OF_B],
  ['keeps what an intent names', { intents: [{ ...key, config: A, ...BOOT }] }, ALL_OF_B],
  ['keeps an image as long as one of two Modules wants it', { spec: [wanted(B), { ...wanted(A), name: 'b' }] }, []],
  ['is not held up by a failure without an image', { spec: [wanted(B)], status: [{ ...key, error }] }, ALL_OF_A],
  [
    'is not held up by a reference that is none',
    { spec: [wanted(config('@sha256:short'))] },
    [...ALL_OF_A, ...ALL_OF_B],
  ],
  [
    'keeps the image that a tag led to last',
    { spec: [wanted(TAG)], manifests: new Map([...BOTH.manifests, [fileOf(TAG), DIGEST_B]]) },
    ALL_OF_A,
  ],
  [
    'removes the image that a tag led to before',
    { spec: [wanted(TAG)], manifests: new Map([[fileOf(TAG), DIGEST_B]]) },
    [FOLDER_A],
  ],
  [
    'keeps the image that an index led to, under both names',
    { spec: [wanted(VIA_INDEX)], manifests: new Map([...BOTH.manifests, [fileOf(VIA_INDEX), DIGEST_B]]) },
    ALL_OF_A,
  ],
  [
    'keeps the files of an image whose manifest is torn, and removes that',
    { spec: [wanted(A)], manifests: new Map([[fileOf(A), undefined]]), images: imagesOf(A) },
    [`manifests/${fileOf(A)}`],
  ],
  [
    'removes other files of an image than those that are wanted now',
    { spec: [wanted(WITH_FIRMWARE)], images: new Map([[FOLDER_A, [folderOf(A), folderOf(WITH_FIRMWARE)]]]) },
    [`manifests/${fileOf(B)}`, `${FOLDER_A}/${folderOf(A)}`],
  ],
  [
    'W34 keeps what the kernel with a plus took of an image for the kernel without',
    { spec: [wanted(A)], images: new Map([[FOLDER_A, [folderOf(A, `${RELEASE}+`)]]]) },
    [`manifests/${fileOf(B)}`],
  ],
  [
    'W34 keeps what the kernel without a plus took of an image for the kernel with it',
    {
      spec: [wanted({ ...A, kernelVersion: `${RELEASE}+` })],
      images: new Map([[FOLDER_A, [folderOf(A, RELEASE)]]]),
    },
    [`manifests/${fileOf(B)}`],
  ],
  [
    'removes what a pull that was killed left',
    { manifests: new Map([['x.json.partial', undefined]]), images: new Map() },
    ['manifests/x.json.partial'],
  ],
])('%s', (_behaviour, given, removed) => {
  expect(planImageRemoval({ ...BOTH, ...given }).sort()).toEqual([...removed].sort());
});

test('removes manifests before the files that they would have brought back without a Secret', () => {
  expect(planImageRemoval(BOTH)).toEqual([`manifests/${fileOf(A)}`, `manifests/${fileOf(B)}`, FOLDER_A, FOLDER_B]);
});

function imagesOf(of: ModuleConfig): ImageRemovalInput['images'] {
  return new Map([[FOLDER_A, [folderOf(of)]]]);
}
