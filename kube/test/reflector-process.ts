import { argv, memoryUsage } from 'node:process';
import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { KubeClient, loadConnection, Reflector, runProcess, sleep } from '../src/index.ts';

/**
 * `reflector-process.ts KUBECONFIG NAMESPACE PAGE_SIZE names|all`: follows ConfigMaps, keeps their names alone or all of them,
 * and tells how many, and by how much the process grew (under --expose-gc without garbage).
 */
await runProcess('reflector', async ({ log, signal }) => {
  const [kubeconfig = '', namespace = '', pageSize, kept] = argv.slice(2);
  const client = new KubeClient(await loadConnection({ kubeconfig }), 'reflector-process');
  const trim = ({ metadata: { name } }: ConfigMap) => ({ metadata: { name, namespace } });
  const reflector = new Reflector({
    ...{ client, resource: configMap, log },
    select: { namespace, pageSize: Number(pageSize) },
    ...(kept === 'names' && { trim }),
  });
  const before = memoryUsage.rss();
  const ended = new AbortController();
  const running = reflector.run(AbortSignal.any([signal, ended.signal]));
  while (!reflector.cache.synced && !signal.aborted) await sleep(20, signal);
  globalThis.gc?.();
  const { size } = reflector.cache;
  const grown = Math.round((memoryUsage.rss() - before) / size);
  process.stdout.write(`${size} objects: RSS grew by ${grown} bytes for each\n`);
  ended.abort();
  await running;
  await client.close();
});
