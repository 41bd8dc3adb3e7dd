import {
  clientMetrics,
  HUB_LEASE,
  KubeClient,
  LeaseElection,
  loadConnection,
  metricsRegistry,
  noElection,
  queueMetrics,
  reconcileMetrics,
  runProcess,
  startHealthServer,
} from '@kmm-hub/kube';
import { HubApi } from './api/hub-api.ts';
import { hubFlags } from './config.ts';
import { CONTROLLERS, Hub } from './hub.ts';

await runProcess('hub', async ({ log, signal }) => {
  const flags = hubFlags(process.argv.slice(2));
  if (flags === undefined) return; // help was asked for
  const { redisUrl, namespace, healthPort, leaderElect } = flags;
  const connection = await loadConnection(flags.connection);
  const registry = metricsRegistry();
  const shared = { connection, component: 'kmm-hub', registry, observer: clientMetrics(registry), log };
  const lease = { namespace, name: HUB_LEASE };
  await using election = leaderElect ? new LeaseElection({ ...shared, lease }) : noElection;
  const { observer } = shared;
  const client = new KubeClient(connection, shared.component, { fence: election.fence, observer });
  const metrics = reconcileMetrics(registry, CONTROLLERS);
  await using api = flags.api && new HubApi({ config: flags.api, connection, namespace, redisUrl, log });
  const publishing = api?.publishing(election, client) ?? election;
  await using hub = new Hub({ client, election: publishing, namespace, redisUrl, log, metrics });
  queueMetrics(registry, hub.controllers);
  try {
    const probes = { problems: () => hub.problems(), role: () => election.role };
    const port = await startHealthServer({ port: healthPort, ...probes, registry }, signal);
    const apiUrl = await api?.start(hub, signal);
    log.info({ server: client.server, namespace, healthPort: port, apiUrl, leaderElect }, 'hub started');
    await hub.run(signal);
  } finally {
    await client.close();
  }
});
