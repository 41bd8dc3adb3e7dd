import { tmpdir } from 'node:os';
import { env } from 'node:process';
import { HUB_NAMESPACE, UsageError } from '@kmm-hub/api-types';
import { type ConnectionOptions, processEnvironment } from '@kmm-hub/kube';
import { Command, InvalidArgumentError, Option } from 'commander';

export type WorkerFlags = {
  connection: ConnectionOptions;
  redisUrl: string;
  namespace: string;
  concurrency: number;
  workFolder: string;
  buildTimeoutMs: number;
  healthPort: number;
};

/** Reads flags and environment, once. @throws UsageError */
export function workerFlags(argv: string[]): WorkerFlags {
  const command = new Command('worker')
    .description('Builds, signs and publishes module images from the queue.')
    .addOption(new Option('--kubeconfig <file>', 'hub API server; default: in-cluster, else KUBECONFIG'))
    .addOption(new Option('--redis <url>', 'Redis of the image queue, with its password').env('KMM_REDIS'))
    .addOption(new Option('--namespace <name>', 'namespace of ConfigMaps and Secrets').env('KMM_NAMESPACE'))
    .addOption(
      new Option('--concurrency <n>', 'builds at once').env('KMM_CONCURRENCY').default(1).argParser(integer(1, 256)),
    )
    .addOption(new Option('--work-folder <dir>', 'where builds work and layers are cached').env('KMM_WORK_FOLDER'))
    .addOption(
      new Option('--build-timeout <seconds>', 'limit for one build')
        .env('KMM_BUILD_TIMEOUT')
        .default(1800)
        .argParser(integer(1, 86_400)),
    )
    .addOption(
      new Option('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .default(8082)
        .argParser(integer(0, 65_535)),
    )
    .parse(argv, { from: 'user' });
  const options = command.opts<{
    kubeconfig?: string;
    redis?: string;
    namespace?: string;
    concurrency: number;
    workFolder?: string;
    buildTimeout: number;
    healthPort: number;
  }>();
  if (!options.redis) throw new UsageError('--redis is missing', 'Give the URL of Redis, or set KMM_REDIS.');
  const { connection } = processEnvironment();
  return {
    connection: { ...connection, ...(options.kubeconfig && { kubeconfig: options.kubeconfig }) },
    redisUrl: options.redis,
    namespace: options.namespace ?? env.OPERATOR_NAMESPACE ?? HUB_NAMESPACE,
    concurrency: options.concurrency,
    workFolder: options.workFolder ?? `${tmpdir()}/kmm-hub-worker`,
    buildTimeoutMs: options.buildTimeout * 1000,
    healthPort: options.healthPort,
  };
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`not a whole number from ${min} to ${max}`);
  };
}
