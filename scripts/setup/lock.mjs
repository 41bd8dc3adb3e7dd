import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './errors.mjs';

/**
 * Does `work` while no other process holds the same lock file. flock(1) holds the lock, as the kernel lets go of it however we
 * end; it ends with our pipe to it.
 * @template T
 * @param {{ file: string, limitSeconds: number, signal?: AbortSignal, onWait?: () => void }} lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {SetupError} when another process has held it for longer than the limit.
 */
export async function withLock({ file, limitSeconds, signal, onWait }, work) {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--wait', String(limitSeconds), file, 'sh', '-c', 'echo locked && cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const giveUp = () => holder.kill();
  signal?.addEventListener('abort', giveUp, { once: true });
  const waiting = setTimeout(() => onWait?.(), 1_000);
  try {
    const locked = await new Promise((resolve) => {
      holder.stdout.once('data', () => resolve(true));
      holder.once('exit', () => resolve(false)).once('error', () => resolve(false));
    });
    clearTimeout(waiting);
    signal?.throwIfAborted();
    if (locked) return await work();
    throw new SetupError(`another setup has been at work for more than ${limitSeconds} s`, {
      remedy: `Wait for it, or end it; the lock is ${file}.`,
    });
  } finally {
    clearTimeout(waiting);
    signal?.removeEventListener('abort', giveUp);
    holder.stdin.end();
  }
}
