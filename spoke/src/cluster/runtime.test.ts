import { Controller, createLogger } from '@kmm-hub/kube';
import { expect, test } from 'vitest';
import { runControllers } from './runtime.ts';

test('a controller runs once its own caches are in, whatever the others wait for', async () => {
  const log = createLogger({ process: 'test', level: 'silent', pretty: false });
  const stopping = new AbortController();
  const worked: string[] = [];
  const controllerOf = (name: string) => {
    const reconcile = async () => {
      worked.push(name);
      if (name === 'late') stopping.abort();
      return undefined;
    };
    const controller = new Controller({ name, log, reconcile });
    controller.queue.add('key');
    return controller;
  };
  const [spoke, hub] = [{ cache: { synced: true } }, { cache: { synced: false } }];
  const late = { cache: { synced: false } };
  const first = controllerOf('first');
  const runs = [
    { controller: first, needs: [spoke] },
    { controller: controllerOf('needs the hub'), needs: [spoke, hub] },
    { controller: controllerOf('late'), needs: [late] },
  ];
  const ended = runControllers(runs, stopping.signal);
  await expect.poll(() => worked).toEqual(['first']);
  late.cache.synced = true;
  await ended; // aborted by the late one: the one that needs the hub has not run and ends all the same
  expect(worked).toEqual(['first', 'late']);
});
