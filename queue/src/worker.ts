import { mkdir } from 'node:fs/promises';
import { KubeClient, loadConnection, metricsRegistry, runProcess, startHealthServer } from '@kmm-hub/kube';
import { createBuildahExecutor } from './executors/buildah-executor.ts';
import { workerFlags } from './worker/config.ts';
import { ImageWorker } from './worker/image-worker.ts';

await runProcess('worker', async ({ log, signal }) => {
  const { connection, healthPort, ...flags } = workerFlags(process.argv.slice(2));
  await mkdir(flags.workFolder, { recursive: true, mode: 0o700 });
  const client = new KubeClient(await loadConnection(connection), 'kmm-hub-worker');
  const executor = createBuildahExecutor({ folder: `${flags.workFolder}/storage`, maxCacheMiB: 20_480 });
  const worker = new ImageWorker({ client, executor, log, ...flags });
  const registry = metricsRegistry();
  await startHealthServer({ port: healthPort, problems: () => worker.problems(), registry }, signal);
  log.info({ server: client.server, namespace: flags.namespace, concurrency: flags.concurrency }, 'worker started');
  await worker.run(signal);
  await client.close();
});
