import { rm } from 'node:fs/promises';
import { configMap, type KubeObject } from '@kmm-hub/api-types';
import { KubeClient, loadConnection, type PatchOptions } from '@kmm-hub/kube';
import { type ControlPlane, runFolder, startControlPlane } from '@kmm-hub/lab';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyManifest } from '../src/work/manifests/apply-manifest.ts';
import { FieldConflictError } from '../src/work/manifests/errors.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
const owner = { apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork', name: 'w', uid: 'u-1' };
let folder: string;
let plane: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  folder = await runFolder('work-apply-conflict');
  plane = await startControlPlane({ name: 'spoke', folder: `${folder}/spoke`, signal });
  client = new KubeClient(await loadConnection({ kubeconfig: plane.adminKubeconfig }));
});

afterAll(async () => {
  await client?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The real client; right after each apply somebody else writes the object, as the controller of a Module does. */
function withMeddler(): KubeClient {
  const patch = async <T extends KubeObject>(
    resource: never,
    options: PatchOptions,
    limit: AbortSignal,
  ): Promise<T> => {
    const live: T = await client.patch(resource, options, limit);
    const meddling = { ref: options.ref, patch: { metadata: { finalizers: ['test/meddler'] } } };
    if (options.type === 'apply') await client.patch(configMap, meddling, limit);
    return live;
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'patch') return patch;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function taskFor(name: string, value: string, force: boolean) {
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { a: value },
  };
  const serverSideApply = { force, fieldManager: 'work-agent-test' };
  const strategy = { type: 'ServerSideApply' as const, serverSideApply };
  return { manifest, resource: configMap, strategy, owner, owned: true };
}

test('an object that somebody writes between the apply and the owner reference is owned all the same', async () => {
  await applyManifest(withMeddler(), taskFor('contended', '1', true), signal);
  const live = await client.get(configMap, { namespace: 'default', name: 'contended' }, signal);
  expect(live.metadata.ownerReferences).toEqual([owner]);
  expect(live.metadata.finalizers).toEqual(['test/meddler']);
});

test('a field that another manager holds is a field conflict, which is not tried again', async () => {
  await plane.kubectl(['create', 'configmap', 'held', '--namespace=default', '--from-literal=a=theirs']);
  const applying = applyManifest(client, taskFor('held', 'ours', false), signal);
  await expect(applying).rejects.toThrow(FieldConflictError);
});
