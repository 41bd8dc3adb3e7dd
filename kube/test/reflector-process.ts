import { argv } from 'node:process';
import { configMap } from '@kmm-hub/api-types';
import { KubeClient, loadConnection, Reflector, runProcess, sleep } from '../src/index.ts';

/** `reflector-process.ts KUBECONFIG NAMESPACE PAGE_SIZE`: follows ConfigMaps, keeps their names alone, and tells how many. */
await runProcess('reflector', async ({ log, signal }) => {
  const [kubeconfig = '', namespace = '', pageSize] = argv.slice(2);
  const client = new KubeClient(await loadConnection({ kubeconfig }), 'reflector-process');
  const reflector = new Reflector({
    ...{ client, resource: configMap, log },
    select: { namespace, pageSize: Number(pageSize) },
    trim: ({ metadata: { name } }) => ({ metadata: { name, namespace } }),
  });
  const ended = new AbortController();
  const running = reflector.run(AbortSignal.any([signal, ended.signal]));
  while (!reflector.cache.synced && !signal.aborted) await sleep(20, signal);
  process.stdout.write(`${reflector.cache.size} objects\n`);
  ended.abort();
  await running;
  await client.close();
});
