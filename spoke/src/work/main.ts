import { argv } from 'node:process';
import {
  type Connection,
  clientMetrics,
  KubeClient,
  loadConnection,
  metricsRegistry,
  processEnvironment,
  runProcess,
} from '@kmm-hub/kube';
import { runWorkAgent } from './agent.ts';
import { parseOptions } from './options.ts';

await runProcess('work-agent', async ({ log, signal }) => {
  const options = parseOptions(argv.slice(2));
  if (options === undefined) return;
  const { kubeconfig, hubKubeconfig, clusterName } = options;
  const { connection } = processEnvironment();
  const onSpoke = await loadConnection({ ...connection, ...(kubeconfig !== undefined && { kubeconfig }) });
  const onHub = await loadConnection({ ...connection, kubeconfig: hubKubeconfig });
  const registry = metricsRegistry();
  const observer = clientMetrics(registry);
  const clientOf = (server: Connection) => new KubeClient(server, 'kmm-hub-work-agent', { observer });
  const [spoke, hub] = [clientOf(onSpoke), clientOf(onHub)];
  log.info({ cluster: clusterName, hub: hub.server, spoke: spoke.server }, 'work agent started');
  try {
    await runWorkAgent({ ...options, hub, spoke, registry, log }, signal);
  } finally {
    await Promise.all([hub.close(), spoke.close()]);
  }
});
