import { readFile } from 'node:fs/promises';
import {
  clientMetrics,
  KubeClient,
  loadConnection,
  metricsRegistry,
  runProcess,
  startHealthServer,
} from '@kmm-hub/kube';
import { readRegistriesConf } from '@kmm-hub/oci';
import { createBuildahExecutor } from './executors/buildah-executor.ts';
import { jobCounts, jobMetrics } from './job-metrics.ts';
import { watchApiServer } from './worker/api-server-health.ts';
import { workerFlags } from './worker/config.ts';
import { ImageWorker } from './worker/image-worker.ts';
import { makeWorkFolder } from './worker/work-folder.ts';

await runProcess('worker', async ({ log, signal }) => {
  const flags = workerFlags(process.argv.slice(2));
  if (flags === undefined) return; // help was asked for
  const { connection, healthPort, ...options } = flags;
  await makeWorkFolder(options.workFolder);
  const registry = metricsRegistry();
  const observer = clientMetrics(registry);
  const client = new KubeClient(await loadConnection(connection), 'kmm-hub-worker', { observer });
  await using executor = createBuildahExecutor({ folder: `${options.workFolder}/storage`, maxCacheMiB: 20_480 });
  const ways = { proxy: connection.proxy, mirrors: readMirrors };
  await using worker = new ImageWorker({ client, executor, log, observe: jobMetrics(registry), ...ways, ...options });
  await using _counts = jobCounts(registry, options.redisUrl);
  const apiServer = watchApiServer(client, signal);
  try {
    const problems = () => [...apiServer.problems(), ...worker.problems()];
    const port = await startHealthServer({ port: healthPort, problems, registry }, signal);
    const { namespace, concurrency } = options;
    log.info({ server: client.server, namespace, concurrency, healthPort: port }, 'worker started');
    await worker.run(signal);
  } finally {
    await client.close();
  }
});

/** The same file that buildah reads for base images (containers-registries.conf(5)); none is no mirrors. */
async function readMirrors() {
  try {
    return readRegistriesConf(await readFile('/etc/containers/registries.conf', 'utf8'));
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw err;
  }
}
