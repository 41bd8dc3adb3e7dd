import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UsageError } from '@kmm-hub/api-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openConnection } from './connection.ts';
import type { ConnectFlags } from './context.ts';

let folder: string;
let file: string;
let other: string;
let disposables: AsyncDisposableStack;
const kubeconfig = (...names: string[]) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({ name, cluster: { server: `https://${name}:6443` } })),
    users: names.map((name) => ({ name, user: { token: `of ${name}` } })),
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    'current-context': names[0],
  });
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-connection-'));
  [file, other] = [join(folder, 'a'), join(folder, 'b')];
  await writeFile(file, kubeconfig('hub', 'spoke'));
  await writeFile(other, kubeconfig('far'));
  disposables = new AsyncDisposableStack();
});
afterEach(async () => {
  await disposables.disposeAsync();
  await rm(folder, { recursive: true });
});

test.each<[string, () => [ConnectFlags, string?], string]>([
  ['the current context of the flag’s file', () => [{ kubeconfig: other }, file], 'far'],
  ['the current context of the environment’s files', () => [{}, [file, other].join(delimiter)], 'hub'],
  ['another context of the same file', () => [{ kubeconfig: file, context: 'spoke' }], 'spoke'],
  ['a context of a later file', () => [{ context: 'far' }, [file, other].join(delimiter)], 'far'],
])('the API server is that of %s', async (_what, given, name) => {
  const [flags, fromEnvironment] = given();
  const connection = await openConnection(
    flags,
    { ...(fromEnvironment && { kubeconfig: fromEnvironment }) },
    disposables,
  );
  expect(connection.server).toBe(`https://${name}:6443`);
  expect((await connection.credentials()).authorization).toBe(`Bearer of ${name}`);
});

test.each<[string, () => ConnectFlags, RegExp]>([
  ['a context that is in no file', () => ({ kubeconfig: file, context: 'none' }), /context "none" does not exist/],
  ['a context without a kubeconfig', () => ({ context: 'hub' }), /no kubeconfig with context "hub"/],
  [
    'a file that is not there',
    () => ({ kubeconfig: '/nowhere', context: 'hub' }),
    /kubeconfig \/nowhere cannot be read/,
  ],
])('%s is told', async (_what, flags, words) => {
  const opening = openConnection(flags(), {}, disposables);
  await expect(opening).rejects.toThrow(UsageError);
  await expect(opening).rejects.toThrow(words);
});
