import {
  clientMetrics,
  KubeClient,
  LeaseElection,
  loadConnection,
  metricsRegistry,
  noElection,
  processEnvironment,
  runProcess,
  SPOKE_LEASE,
} from '@kmm-hub/kube';
import { runClusterAgent } from './cluster-agent.ts';
import { readOptions } from './config.ts';
import { FIELD_MANAGER } from './defaults.ts';

await runProcess('spoke-cluster', async ({ log, signal }) => {
  const options = readOptions(process.argv);
  if (options === undefined) return;
  const { kubeconfig, hubKubeconfig, clusterName, namespace, healthPort, leaderElect } = options;
  const environment = processEnvironment().connection;
  const connection = await loadConnection({ ...environment, ...(kubeconfig !== undefined && { kubeconfig }) });
  const onHub = await loadConnection({ ...environment, kubeconfig: hubKubeconfig });
  const registry = metricsRegistry();
  const observer = clientMetrics(registry);
  const place = { connection, component: FIELD_MANAGER, lease: { namespace, name: SPOKE_LEASE } };
  await using election = leaderElect ? new LeaseElection({ ...place, registry, observer, log }) : noElection;
  const writing = { fence: election.fence, observer };
  const spoke = new KubeClient(connection, FIELD_MANAGER, writing);
  const hub = new KubeClient(onHub, FIELD_MANAGER, writing);
  try {
    await runClusterAgent({ spoke, hub, election, registry, clusterName, namespace, healthPort, log }, signal);
  } finally {
    await Promise.all([spoke.close(), hub.close()]);
  }
});
