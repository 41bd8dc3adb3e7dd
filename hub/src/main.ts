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
  const flags = hubFlags(process.argv.slice(2));
  if (flags === undefined) return; // help was asked for
  const { connection, redisUrl, namespace, healthPort } = flags;
  const client = new KubeClient(await loadConnection(connection), 'kmm-hub');
  const registry = metricsRegistry();
  const metrics = reconcileMetrics(registry, CONTROLLERS);
  await using hub = new Hub({ client, namespace, redisUrl, log, metrics });
  try {
    const port = await startHealthServer({ port: healthPort, problems: () => hub.problems(), registry }, signal);
    log.info({ server: client.server, namespace, healthPort: port }, 'hub started');
    await hub.run(signal);
  } finally {
    await client.close();
  }
});
