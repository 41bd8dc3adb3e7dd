import { KubeClient, loadConnection, processEnvironment, runProcess } from '@kmm-hub/kube';
import { runClusterAgent } from './cluster-agent.ts';
import { readOptions } from './config.ts';
import { FIELD_MANAGER } from './defaults.ts';

await runProcess('spoke-cluster', async ({ log, signal }) => {
  const options = readOptions(process.argv);
  if (options === undefined) return;
  const { kubeconfig, hubKubeconfig, clusterName, namespace, healthPort } = options;
  const environment = processEnvironment().connection;
  const own = await loadConnection({ ...environment, ...(kubeconfig !== undefined && { kubeconfig }) });
  const spoke = new KubeClient(own, FIELD_MANAGER);
  const hub = new KubeClient(await loadConnection({ ...environment, kubeconfig: hubKubeconfig }), FIELD_MANAGER);
  try {
    await runClusterAgent({ spoke, hub, clusterName, namespace, healthPort, log }, signal);
  } finally {
    await Promise.all([spoke.close(), hub.close()]);
  }
});
