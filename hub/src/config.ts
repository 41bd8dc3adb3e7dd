import { env } from 'node:process';
import { HUB_NAMESPACE, UsageError } from '@kmm-hub/api-types';
import { type ConnectionOptions, processEnvironment } from '@kmm-hub/kube';
import { Command, InvalidArgumentError, Option } from 'commander';

export type HubConfigFlags = { connection: ConnectionOptions; redisUrl: string; namespace: string; healthPort: number };

/** Reads flags and environment, once. @throws UsageError */
export function hubFlags(argv: string[]): HubConfigFlags {
  const command = new Command('hub')
    .description('Plans images and ManifestWorks for every ManagedClusterModule of the fleet.')
    .addOption(new Option('--kubeconfig <file>', 'hub API server; default: in-cluster, else KUBECONFIG'))
    .addOption(new Option('--redis <url>', 'Redis of the image queue, with its password').env('KMM_REDIS'))
    .addOption(new Option('--namespace <name>', 'namespace of ConfigMaps and Secrets').env('KMM_NAMESPACE'))
    .addOption(
      new Option('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .default(8081)
        .argParser(parsePort),
    )
    .parse(argv, { from: 'user' });
  const options = command.opts<{ kubeconfig?: string; redis?: string; namespace?: string; healthPort: number }>();
  if (!options.redis) throw new UsageError('--redis is missing', 'Give the URL of Redis, or set KMM_REDIS.');
  const { connection } = processEnvironment();
  return {
    connection: { ...connection, ...(options.kubeconfig && { kubeconfig: options.kubeconfig }) },
    redisUrl: options.redis,
    namespace: options.namespace ?? env.OPERATOR_NAMESPACE ?? HUB_NAMESPACE,
    healthPort: options.healthPort,
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('not a port (0–65535)');
  return port;
}
