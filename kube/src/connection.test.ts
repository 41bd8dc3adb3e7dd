import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { loadConnection } from './connection.ts';
import { type Credentials, remembered } from './credentials.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-'));
});
afterAll(() => rm(folder, { recursive: true }));

const cluster = { server: 'https://hub.example:6443/', 'certificate-authority-data': btoa('CA') };

async function kubeconfig(name: string, { user, cluster: of = cluster }: { user: object; cluster?: object }) {
  const file = join(folder, name);
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'n' } }],
    clusters: [{ name: 'k', cluster: of }],
    users: [{ name: 'u', user }],
  };
  await writeFile(file, stringify(config));
  return file;
}

test('a kubeconfig names server, namespace, authority and token', async () => {
  const file = await kubeconfig('token', { user: { token: 't1' } });
  const connection = await loadConnection({ kubeconfig: file, serviceHost: '10.0.0.1' });
  expect([connection.server, connection.namespace]).toEqual(['https://hub.example:6443', 'n']);
  expect(await connection.credentials()).toEqual({ authorization: 'Bearer t1', ca: 'CA' });
});

test('a client certificate is taken as a pair', async () => {
  const user = { 'client-certificate-data': btoa('CERT'), 'client-key-data': btoa('KEY') };
  const { credentials } = await loadConnection({ kubeconfig: await kubeconfig('cert', { user }) });
  expect(await credentials()).toEqual({ ca: 'CA', clientCertificate: { cert: 'CERT', key: 'KEY' } });
});

test('a kubeconfig with a new token and a new authority is read again when the old ones are refused', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const file = await kubeconfig('rotated', { user: { token: 'old' } });
  const { credentials } = await loadConnection({ kubeconfig: file });
  await kubeconfig('rotated', {
    user: { token: 'new' },
    cluster: { ...cluster, 'certificate-authority-data': btoa('CA2') },
  });
  expect(await credentials()).toEqual({ authorization: 'Bearer old', ca: 'CA' });
  vi.advanceTimersByTime(2000);
  expect(await credentials({ renew: true })).toEqual({ authorization: 'Bearer new', ca: 'CA2' });
  vi.useRealTimers();
});

/** A kubeconfig whose plug-in gives the token t1, then t2 and so on. */
async function execKubeconfig(name: string, expirationTimestamp: string) {
  const [plugin, log] = [join(folder, `${name}-plugin`), join(folder, `${name}-runs`)];
  const status = `{\\"token\\":\\"t$(wc -l < "$1" | tr -d " ")\\",\\"expirationTimestamp\\":\\"${expirationTimestamp}\\"}`;
  await writeFile(plugin, `#!/bin/sh\necho run >> "$1"\necho "{\\"status\\":${status}}"\n`);
  await chmod(plugin, 0o755);
  const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, args: [log] } };
  const runs = async () => (await readFile(log, 'utf8')).trim().split('\n').length;
  return { file: await kubeconfig(name, { user }), runs };
}

test('an exec plug-in is run once while its token is good, and again when that is refused', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { file } = await execKubeconfig('exec', '2999-01-01T00:00:00Z');
  const { credentials } = await loadConnection({ kubeconfig: file });
  vi.advanceTimersByTime(100_000);
  expect(await credentials()).toEqual({ authorization: 'Bearer t1', ca: 'CA' });
  vi.advanceTimersByTime(2000);
  expect(await credentials({ renew: true })).toEqual({ authorization: 'Bearer t2', ca: 'CA' });
  vi.useRealTimers();
});

test('an exec plug-in may give a client certificate, and another one when that is refused', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const log = join(folder, 'cert-runs');
  const status = '{\\"clientCertificateData\\":\\"CERT$n\\",\\"clientKeyData\\":\\"KEY$n\\"}';
  const script = `echo run >> ${log}; n=$(wc -l < ${log} | tr -d " "); echo "{\\"status\\":${status}}"`;
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', script] };
  const { credentials } = await loadConnection({ kubeconfig: await kubeconfig('exec-cert', { user: { exec } }) });
  expect(await credentials()).toEqual({ ca: 'CA', clientCertificate: { cert: 'CERT1', key: 'KEY1' } });
  vi.advanceTimersByTime(2000);
  expect(await credentials({ renew: true })).toEqual({ ca: 'CA', clientCertificate: { cert: 'CERT2', key: 'KEY2' } });
  vi.useRealTimers();
});

test('an exec plug-in that fails is named by what it says', async () => {
  const user = { exec: { command: '/bin/sh', args: ['-c', 'echo log in first >&2; exit 1'] } };
  await expect(loadConnection({ kubeconfig: await kubeconfig('failing', { user }) })).rejects.toMatchObject({
    code: 'WrongKubeconfig',
    message: expect.stringContaining('log in first'),
  });
});

test('several files in KUBECONFIG are one', async () => {
  const first = join(folder, 'first');
  await writeFile(first, stringify({ 'current-context': 'c', contexts: [], clusters: [], users: [] }));
  const second = await kubeconfig('second', { user: { token: 't2' } });
  const { credentials } = await loadConnection({ kubeconfigVariable: `${first}:${second}` });
  expect(await credentials()).toMatchObject({ authorization: 'Bearer t2' });
});

test('in a cluster the service account counts, and its token is read again', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await Promise.all([write('token', 'one\n'), write('ca.crt', 'CA\n'), write('namespace', 'kmm')]);
  const inCluster = { serviceHost: 'fd00::1', servicePort: '6443', serviceAccountFolder: folder };
  const connection = await loadConnection({ ...inCluster, kubeconfigVariable: '/nowhere' });
  expect([connection.server, connection.namespace]).toEqual(['https://[fd00::1]:6443', 'kmm']);
  await Promise.all([write('token', 'two'), write('ca.crt', 'CA2')]);
  expect(await connection.credentials()).toEqual({ authorization: 'Bearer one', ca: 'CA' });
  vi.advanceTimersByTime(60_001);
  expect(await connection.credentials()).toEqual({ authorization: 'Bearer two', ca: 'CA2' });
  vi.useRealTimers();
});

test('the proxy of the kubeconfig wins over that of the environment', async () => {
  const proxy = { httpsProxy: 'http://env:1' };
  const plain = await kubeconfig('plain', { user: {} });
  const own = await kubeconfig('own', { user: {}, cluster: { ...cluster, 'proxy-url': 'http://own:2' } });
  expect((await loadConnection({ kubeconfig: plain, proxy })).proxy).toBe('http://env:1');
  expect((await loadConnection({ kubeconfig: own, proxy })).proxy).toBe('http://own:2');
});

test.each([
  ['is no URL', 'http://user:secret@bad host:1'],
  ['is of another protocol', 'ftp://user:secret@host'],
])('a proxy that %s is told at the start, without its password', async (_what, httpsProxy) => {
  const kubeconfigFile = await kubeconfig('wrong-proxy', { user: {} });
  const failure = await loadConnection({ kubeconfig: kubeconfigFile, proxy: { httpsProxy } }).catch((err) => err);
  expect(failure).toMatchObject({
    code: 'WrongProxy',
    message: 'the proxy to https://hub.example:6443 has no valid URL',
  });
  expect(inspect(failure, { depth: null })).not.toContain('secret');
});

test.each([
  ['none is configured', {}, 'no API server is configured'],
  ['the file is missing', { kubeconfig: '/nowhere/config' }, 'kubeconfig /nowhere/config cannot be read'],
  ['the pod has no service account', { serviceHost: 'h', serviceAccountFolder: '/nowhere' }, 'the service account in'],
])('one clear error when %s', async (_when, options, message) => {
  await expect(loadConnection(options)).rejects.toMatchObject({
    code: 'WrongKubeconfig',
    message: expect.stringContaining(message),
  });
});

test('however often a server refuses, credentials are read once a second; otherwise once a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  let reads = 0;
  const credentials = remembered(async () => ({ authorization: `t${++reads}` }));
  const ask = async (options?: { renew: boolean }) => {
    for (let times = 0; times < 100; times += 1) await credentials(options);
    return reads;
  };
  expect(await ask()).toBe(1);
  expect(await ask({ renew: true })).toBe(1); // they are not a second old
  vi.advanceTimersByTime(1001);
  expect(await ask({ renew: true })).toBe(2);
  vi.advanceTimersByTime(59_000);
  expect(await ask()).toBe(2);
  vi.advanceTimersByTime(1001);
  expect(await ask()).toBe(3);
  vi.useRealTimers();
});

test('a plug-in whose token is out of date by our clock is still asked once a minute, not for each request', async () => {
  const { file, runs } = await execKubeconfig('skewed', '2000-01-01T00:00:00Z');
  vi.useFakeTimers({ toFake: ['performance'] });
  const { credentials } = await loadConnection({ kubeconfig: file });
  for (let times = 0; times < 100; times += 1) await credentials();
  expect(await runs()).toBe(1);
  vi.advanceTimersByTime(60_001);
  expect(await credentials()).toEqual({ authorization: 'Bearer t2', ca: 'CA' });
  vi.useRealTimers();
});

test('credentials: callers at the same time share one read, and a failed read is not remembered', async () => {
  const reads: (() => Promise<Credentials>)[] = [
    () => Promise.reject(new Error('gone')),
    async () => ({ authorization: 'a' }),
  ];
  const credentials = remembered(() => (reads.shift() as () => Promise<Credentials>)());
  await Promise.all([1, 2].map(() => expect(credentials()).rejects.toThrow('gone')));
  expect(await Promise.all([credentials(), credentials()])).toEqual([{ authorization: 'a' }, { authorization: 'a' }]);
  expect(reads).toHaveLength(0);
});
