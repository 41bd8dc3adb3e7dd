import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeKubeconfig } from './kubeconfig.ts';

const plane = { name: 'hub', url: 'https://127.0.0.1:1', caPem: 'ca' };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-kubeconfig-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a kubeconfig with a token has one context in the wanted namespace, for its owner’s eyes only', async () => {
  const file = await writeKubeconfig({ plane, file: join(folder, 'sub/hub.kubeconfig'), namespace: 'kmm', token: 't' });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(parse(await readFile(file, 'utf8'))).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'hub', cluster: { server: plane.url, 'certificate-authority-data': 'Y2E=' } }],
    users: [{ name: 'hub', user: { token: 't' } }],
    contexts: [{ name: 'hub', context: { cluster: 'hub', user: 'hub', namespace: 'kmm' } }],
    'current-context': 'hub',
  });
});

test('a kubeconfig with a certificate holds it and its key', async () => {
  const clientCert = { certPem: 'cert', keyPem: 'key' };
  const file = await writeKubeconfig({ plane, file: join(folder, 'hub.kubeconfig'), clientCert });
  expect(parse(await readFile(file, 'utf8')).users).toEqual([
    { name: 'hub', user: { 'client-certificate-data': 'Y2VydA==', 'client-key-data': 'a2V5' } },
  ]);
});
