import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { HUB_NAMESPACE, UsageError } from '@kmm-hub/api-types';
import { type ConnectionOptions, environmentFlag, integerFlag, parseFlags, processEnvironment } from '@kmm-hub/kube';
import { Command, Option } from 'commander';

export type WorkerFlags = {
  connection: ConnectionOptions;
  redisUrl: string;
  namespace: string;
  concurrency: number;
  workFolder: string;
  buildTimeoutMs: number;
  healthPort: number;
};

type Flags = {
  kubeconfig?: string;
  redis?: string;
  namespace?: string;
  concurrency: number;
  workFolder: string;
  buildTimeout: number;
  healthPort: number;
};

/** Reads flags and environment, once. `undefined` when only help was asked for, which is then printed. @throws UsageError */
export function workerFlags(argv: readonly string[]): WorkerFlags | undefined {
  const flags = parseFlags<Flags>(workerCommand(), argv);
  if (flags === undefined) return undefined;
  if (!flags.redis) throw new UsageError('--redis is missing', 'Give the URL of Redis, or set KMM_REDIS.');
  const { connection } = processEnvironment();
  const { concurrency, workFolder, healthPort } = flags;
  return {
    connection: { ...connection, ...(flags.kubeconfig && { kubeconfig: flags.kubeconfig }) },
    redisUrl: flags.redis,
    namespace: flags.namespace ?? env.OPERATOR_NAMESPACE ?? HUB_NAMESPACE,
    buildTimeoutMs: flags.buildTimeout * 1000,
    ...{ concurrency, workFolder, healthPort },
  };
}

function workerCommand(): Command {
  const namespace = `namespace of ConfigMaps and Secrets; default ${HUB_NAMESPACE}`;
  return new Command('worker')
    .description('Builds, signs and publishes module images from the queue.')
    .addOption(environmentFlag('--kubeconfig <file>', 'hub API server; default: in-cluster, else KUBECONFIG'))
    .addOption(new Option('--redis <url>', 'Redis of the image queue, with its password').env('KMM_REDIS'))
    .addOption(new Option('--namespace <name>', namespace).env('KMM_NAMESPACE'))
    .addOption(
      new Option('--concurrency <n>', 'builds at once')
        .env('KMM_CONCURRENCY')
        .default(1)
        .argParser(integerFlag(1, 256)),
    )
    .addOption(
      new Option('--work-folder <dir>', 'where builds work and layers are cached')
        .env('KMM_WORK_FOLDER')
        .default(join(tmpdir(), 'kmm-hub-worker')),
    )
    .addOption(
      new Option('--build-timeout <seconds>', 'limit for one build')
        .env('KMM_BUILD_TIMEOUT')
        .default(1800)
        .argParser(integerFlag(1, 86_400)),
    )
    .addOption(
      new Option('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .default(8082)
        .argParser(integerFlag(0, 65_535)),
    );
}
