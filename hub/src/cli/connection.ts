import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { explain, UsageError } from '@kmm-hub/api-types';
import { type Connection, type ConnectionOptions, loadConnection } from '@kmm-hub/kube';
import { parse, stringify } from 'yaml';
import type { ConnectFlags } from './context.ts';

/**
 * The API server that kubectl would speak to: --kubeconfig, else KUBECONFIG, else ~/.kube/config, else the pod's own; of the
 * context that is asked for, else of the current one. `disposables` gets what is to be removed at the end.
 * @throws UsageError, ConnectionConfigError
 */
export async function openConnection(
  { kubeconfig, context }: ConnectFlags,
  environment: ConnectionOptions,
  disposables: AsyncDisposableStack,
): Promise<Connection> {
  const options = { ...environment, ...(kubeconfig !== undefined && { kubeconfig }) };
  if (context === undefined) return loadConnection(options);
  const files = options.kubeconfig;
  if (files === undefined)
    throw new UsageError(`there is no kubeconfig with context "${context}"`, 'Give it by --kubeconfig.');
  await requireContext(files.split(delimiter).filter(Boolean), context);
  const choice = await contextFile(context, disposables);
  return loadConnection({ ...options, kubeconfig: [choice, files].join(delimiter) });
}

/** Of several kubeconfigs the first one's current context holds, as kubectl joins them; so the choice is a file before them. */
async function contextFile(context: string, disposables: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-kmm-'));
  disposables.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'context');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [],
    users: [],
    contexts: [],
    'current-context': context,
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}

async function requireContext(files: readonly string[], context: string): Promise<void> {
  const names = (await Promise.all(files.map(contextNames))).flat();
  if (names.includes(context)) return;
  throw new UsageError(`context "${context}" does not exist`, 'See the names with `kubectl config get-contexts`.');
}

async function contextNames(file: string): Promise<unknown[]> {
  try {
    const { contexts = [] } = (parse(await readFile(file, 'utf8')) ?? {}) as { contexts?: { name?: unknown }[] };
    return contexts.map(({ name }) => name);
  } catch (err) {
    // biome-ignore lint/style/useErrorCause: the options are this error's third argument
    throw new UsageError(`kubeconfig ${file} cannot be read: ${explain(err)}`, 'Give another one by --kubeconfig.', {
      cause: err,
    });
  }
}
