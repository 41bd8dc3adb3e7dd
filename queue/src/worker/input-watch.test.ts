import type { ModuleImage, ModuleImageSpec, Secret } from '@kmm-hub/api-types';
import { Cache } from '@kmm-hub/kube';
import { expect, test } from 'vitest';
import { connectHints, inputIndexes } from './input-watch.ts';

const NAMESPACE = 'openshift-kmm-hub';
const secretWith = (name: string, keys: string[] = ['key', 'cert'], resourceVersion = '1'): Secret => ({
  metadata: { name, namespace: NAMESPACE, uid: `uid-${name}`, resourceVersion },
  data: Object.fromEntries(keys.map((key) => [key, ''])),
});
const recipe: ModuleImageSpec = {
  ...{ image: 'r.example/nic:6.1.0', kernelVersion: '6.1.0', architecture: 'amd64', recipeKey: 'a'.repeat(64) },
  ...{ dirName: '/opt', rebuildPolicy: 'IfMissing', sign: { keySecret: 'key', certSecret: 'cert', filesToSign: [] } },
};
/** An image whose status tells this reason. */
const imageWith = (name: string, reason = 'Published', spec: Partial<ModuleImageSpec> = {}): ModuleImage => {
  const ready = {
    type: 'Ready',
    status: 'False' as const,
    reason,
    message: 'm',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  return {
    metadata: { name, resourceVersion: reason },
    spec: { ...recipe, ...spec },
    status: { phase: 'Failed', conditions: [ready] },
  };
};

function world() {
  const secrets = new Cache<Secret>({ indexes: inputIndexes.secrets });
  const images = new Cache<ModuleImage>({ indexes: inputIndexes.images });
  const hinted: string[] = [];
  connectHints({ secrets, images }, (image) => hinted.push(image));
  return { secrets, images, hinted };
}

test('a Secret that comes or changes concerns every image that names it, and no other', () => {
  const { secrets, images, hinted } = world();
  secrets.replace([]);
  const others = {
    build: { dockerfileConfigMap: 'd', dockerfileSha256: '', buildArgs: [], secrets: [{ name: 'key' }] },
  };
  images.replace([
    imageWith('a'),
    imageWith('b', 'BuildFailed', others),
    imageWith('c', 'Published', { sign: undefined as never }),
  ]);
  secrets.apply({ type: 'ADDED', object: secretWith('key') });
  secrets.apply({ type: 'MODIFIED', object: secretWith('key', ['key'], '2') });
  secrets.apply({ type: 'ADDED', object: secretWith('unrelated') });
  expect(hinted).toEqual(['a', 'b', 'a', 'b']);
});

test('a Secret that goes takes nothing away from what is published', () => {
  const { secrets, images, hinted } = world();
  secrets.replace([secretWith('key')]);
  images.replace([imageWith('a')]);
  secrets.apply({ type: 'DELETED', object: secretWith('key', [], '2') });
  expect(hinted).toEqual([]);
});

test.each<[string, Secret[], string, string[]]>([
  ['lacks a Secret that is there concerns', [secretWith('key'), secretWith('cert')], 'SecretNotFound', ['a']],
  ['lacks a Secret that is not there concerns nobody', [secretWith('key')], 'SecretNotFound', []],
  [
    'lacks a key of a Secret concerns nobody',
    [secretWith('key'), secretWith('cert', ['tls.crt'])],
    'SecretNotFound',
    [],
  ],
  ['failed otherwise concerns nobody', [secretWith('key'), secretWith('cert')], 'BuildFailed', []],
])('at the start, whichever list comes first, an image that %s', (_rule, ...[list, reason, want]) => {
  const first = world();
  first.secrets.replace(list);
  first.images.replace([imageWith('a', reason)]);
  const second = world();
  second.images.replace([imageWith('a', reason)]);
  second.secrets.replace(list);
  expect([...new Set(first.hinted)]).toEqual(want);
  expect([...new Set(second.hinted)]).toEqual(want);
});

test('an image whose status tells of a Secret that came meanwhile is looked at again', () => {
  const { secrets, images, hinted } = world();
  secrets.replace([secretWith('key'), secretWith('cert')]);
  images.replace([imageWith('a', 'Building')]);
  images.apply({ type: 'MODIFIED', object: imageWith('a', 'SecretNotFound') });
  expect(hinted).toEqual(['a']);
});
