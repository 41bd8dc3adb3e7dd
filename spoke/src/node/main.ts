import {
  KubeClient,
  loadConnection,
  metricsRegistry,
  reconcileMetrics,
  runProcess,
  startHealthServer,
} from '@kmm-hub/kube';
import { CONTROLLERS, NodeAgent } from './agent.ts';
import { nodeAgentFlags } from './config.ts';

await runProcess('node-agent', async ({ log, signal }) => {
  const parsed = nodeAgentFlags(process.argv.slice(2));
  if (parsed === undefined) return; // help was asked for
  const { connection, healthPort, ...flags } = parsed;
  const client = new KubeClient(await loadConnection(connection), 'kmm-spoke-node');
  const registry = metricsRegistry();
  const agent = new NodeAgent({
    client,
    proxy: connection.proxy,
    log,
    metrics: reconcileMetrics(registry, CONTROLLERS),
    ...flags,
  });
  await startHealthServer({ port: healthPort, problems: () => agent.problems(), registry }, signal);
  await agent.run(signal);
  await client.close();
});
