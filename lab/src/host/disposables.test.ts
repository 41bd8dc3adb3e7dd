import { expect, test, vi } from 'vitest';
import { Disposables, stopOnSignals } from './disposables.ts';
import { StoppedBySignalError } from './errors.ts';

function recorded() {
  const order: string[] = [];
  const disposables = new Disposables();
  const add = (name: string, stop: () => Promise<unknown> = async () => undefined) =>
    disposables.add({
      name,
      limitMs: 50,
      stop: () => {
        order.push(name);
        return stop();
      },
    });
  return { disposables, order, add };
}

test('stops the newest first', async () => {
  const { disposables, order, add } = recorded();
  for (const name of ['etcd', 'apiserver', 'hub']) add(name);
  expect(await disposables.stopAll()).toEqual([]);
  expect(order).toEqual(['hub', 'apiserver', 'etcd']);
});

test('a failure or a hang does not spare the others, and both are told', async () => {
  const { disposables, order, add } = recorded();
  const failure = new Error('no');
  add('etcd');
  add('apiserver', () => Promise.reject(failure));
  add('hub', () => new Promise(() => undefined));
  expect(await disposables.stopAll()).toEqual([
    { name: 'hub', error: expect.objectContaining({ message: 'the end of hub was not ready within 0.05 s' }) },
    { name: 'apiserver', error: failure },
  ]);
  expect(order).toEqual(['hub', 'apiserver', 'etcd']);
});

test('stops everything once, however often it is asked', async () => {
  const { disposables, order, add } = recorded();
  add('hub');
  await Promise.all([disposables.stopAll(), disposables.stopAll()]);
  expect(order).toEqual(['hub']);
});

test('a signal ends the waits of the run and stops everything', async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // a second apart, the second signal would be another one
  const { disposables, order, add } = recorded();
  add('hub');
  const others = process.listeners('SIGTERM');
  const { signal, release } = stopOnSignals(disposables);
  process.emit('SIGTERM', 'SIGTERM');
  expect(signal.reason).toEqual(new StoppedBySignalError('SIGTERM'));
  expect(await disposables.stopAll()).toEqual([]);
  expect(order).toEqual(['hub']);
  process.emit('SIGTERM', 'SIGTERM'); // a terminal's Ctrl-C comes twice: this one is the same
  release();
  expect(process.listeners('SIGTERM')).toEqual(others);
  vi.useRealTimers();
});
