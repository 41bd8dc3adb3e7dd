import { spawn } from 'node:child_process';
import { SetupError } from './errors.mjs';

const shownLines = 6;

/** What a program says when it fails → what a person can do. The first that matches is told. */
const knownFailures = [
  [/No space left on device|ENOSPC|disk quota exceeded/i, 'The disk is full: free some space and start again.'],
  [
    /Temporary failure (in name resolution|resolving)|Could not resolve|EAI_AGAIN|ENOTFOUND|no such host|Network is unreachable|ENETUNREACH|Could not connect|connection refused|ECONNREFUSED|ETIMEDOUT|i\/o timeout/i,
    'The network is not reachable: check it (and the proxy settings), then start again.',
  ],
  [
    /Could not get lock|is another process using it/i,
    'Another package manager is running: wait for it, then start again.',
  ],
  [/Read-only file system|EROFS|Permission denied|EACCES/i, 'This user may not write there: see the path above.'],
];

/**
 * Runs a program to its end and gives its stdout. `onLine` gets every line of both streams as it comes.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, signal?: AbortSignal, onLine?: (line: string) => void }} [options]
 * @throws {SetupError} with the first and last lines it wrote, and a remedy where the failure is a known one.
 */
export async function run(command, args, { cwd, env = process.env, signal, onLine } = {}) {
  const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  const said = []; // the first lines name the cause as often as the last ones
  const hear = (text) => {
    for (const line of text.split('\n').filter(Boolean)) {
      said.push(line);
      onLine?.(line);
    }
    said.splice(shownLines, said.length - 2 * shownLines);
  };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    hear(text);
  });
  child.stderr.setEncoding('utf8').on('data', hear);
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('close', (code, killedBy) => resolve({ code, killedBy }));
  });
  signal?.throwIfAborted();
  if (end.code === 0) return stdout;
  if (end.error?.code === 'ENOENT') throw new SetupError(`${command} is not installed`, { cause: end.error });
  const words = said.join('\n');
  const remedy = knownFailures.find(([pattern]) => pattern.test(words))?.[1];
  const how = end.error?.message ?? (end.killedBy === null ? `exit code ${end.code}` : `killed by ${end.killedBy}`);
  throw new SetupError(`${command} ${args[0] ?? ''} failed (${how}):\n${words}`, { remedy, cause: end.error });
}
