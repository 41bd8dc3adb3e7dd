import {
  KubeClient,
  loadConnection,
  metricsRegistry,
  reconcileMetrics,
  runProcess,
  startHealthServer,
} from '@kmm-hub/kube';
import { hubFlags } from './config.ts';
import { CONTROLLERS, Hub } from './hub.ts';

await runProcess('hub', async ({ log, signal }) => {
  const { connection, redisUrl, namespace, healthPort } = hubFlags(process.argv.slice(2));
  const client = new KubeClient(await loadConnection(connection), 'kmm-hub');
  const registry = metricsRegistry();
  const metrics = reconcileMetrics(registry, CONTROLLERS);
  const hub = new Hub({ client, namespace, redisUrl, log, metrics });
  const port = await startHealthServer({ port: healthPort, problems: () => hub.problems(), registry }, signal);
  log.info({ server: client.server, namespace, healthPort: port }, 'hub started');
  await hub.run(signal);
  await client.close();
});
