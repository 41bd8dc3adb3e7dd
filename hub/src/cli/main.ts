import { argv, stderr, stdout } from 'node:process';
import { explain, HubError } from '@kmm-hub/api-types';
import { KubeClient } from '@kmm-hub/kube';
import { CommanderError } from 'commander';
import { plainText } from '../api/plain-text.ts';
import { cliEnvironment } from './config.ts';
import { openConnection } from './connection.ts';
import type { CliContext } from './context.ts';
import { kubectlKmm } from './program.ts';

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new Error(name)));
// `kubectl kmm logs … | head` closes the pipe: there is nobody left to print for
stdout.on('error', () => stopping.abort(new Error('nobody reads')));

process.exitCode = await run(argv.slice(2));

/** Exit codes as kubectl's: 0 done, 1 not, with one error on stderr; 130 when interrupted. */
async function run(args: readonly string[]): Promise<number> {
  await using disposables = new AsyncDisposableStack();
  const { connection: environment, columns, paint } = cliEnvironment();
  const { signal } = stopping;
  const context: CliContext = {
    connect: async (flags) => {
      const connection = await openConnection(flags, environment, disposables);
      const client = new KubeClient(connection, 'kubectl-kmm');
      disposables.defer(() => client.close());
      return { client, connection };
    },
    out: (text) => void stdout.write(text),
    note: (text) => void stderr.write(plainText(text)),
    now: () => new Date(),
    ...{ columns, paint, signal },
  };
  try {
    await kubectlKmm(context).parseAsync(args, { from: 'user' });
    return 0;
  } catch (err) {
    if (signal.aborted) return 130;
    if (err instanceof CommanderError) return err.exitCode; // commander has said it
    if (!(err instanceof HubError)) throw err; // a mistake in the program, with its stack
    stderr.write(`error: ${plainText(explain(err)).trim()}\n`);
    return 1;
  }
}
