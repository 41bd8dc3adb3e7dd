import { argv } from 'node:process';
import { UsageError } from '@kmm-hub/api-types';
import { runProcess } from '../src/index.ts';

/** `ending-process.ts HOW`: a process that ends in one of the ways a process can end; it prints "up" first. */
await runProcess('ending', async ({ signal }) => {
  process.stdout.write('up\n');
  const how = argv[2];
  if (how === 'usage') throw new UsageError('--flag is wrong');
  if (how === 'mistake') throw new TypeError('a mistake');
  if (how === 'rejection') void Promise.reject(new TypeError('nobody awaits'));
  if (how === 'timer') setImmediate(() => (undefined as unknown as { field: string }).field);
  if (how === 'return') return;
  await new Promise((_resolve, reject) => {
    const alive = setInterval(() => undefined, 1000); // as an open connection would be
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      reject(signal.reason as Error);
    });
  });
});
