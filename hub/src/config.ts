import { env } from 'node:process';
import { HUB_NAMESPACE, UsageError } from '@kmm-hub/api-types';
import {
  type ConnectionOptions,
  environmentFlag,
  integerFlag,
  leaderElectFlag,
  parseFlags,
  processEnvironment,
} from '@kmm-hub/kube';
import { Command, Option } from 'commander';
import { type ApiConfig, type ApiFlags, apiConfig, apiOptions } from './api/config.ts';

export type HubConfigFlags = {
  connection: ConnectionOptions;
  redisUrl: string;
  /** Of ConfigMaps, Secrets and the lease. */
  namespace: string;
  healthPort: number;
  leaderElect: boolean;
  /** Undefined: no endpoint. */
  api: ApiConfig | undefined;
};

type Flags = ApiFlags & {
  kubeconfig?: string;
  redis?: string;
  namespace?: string;
  healthPort: number;
  leaderElect: boolean;
};

/** Reads flags and environment, once. `undefined` when only help was asked for, which is then printed. @throws UsageError */
export function hubFlags(argv: readonly string[]): HubConfigFlags | undefined {
  const command = new Command('hub')
    .description('Plans images and ManifestWorks for every ManagedClusterModule of the fleet.')
    .addOption(environmentFlag('--kubeconfig <file>', 'hub API server; default: in-cluster, else KUBECONFIG'))
    .addOption(new Option('--redis <url>', 'Redis of the image queue, with its password').env('KMM_REDIS'))
    .addOption(
      new Option('--namespace <name>', `namespace of ConfigMaps and Secrets; default ${HUB_NAMESPACE}`).env(
        'KMM_NAMESPACE',
      ),
    )
    .addOption(
      new Option('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .default(8081)
        .argParser(integerFlag(0, 65_535)),
    )
    .addOption(leaderElectFlag());
  for (const option of apiOptions()) command.addOption(option);
  const flags = parseFlags<Flags>(command, argv);
  if (flags === undefined) return undefined;
  if (!flags.redis) throw new UsageError('--redis is missing', 'Give the URL of Redis, or set KMM_REDIS.');
  const { connection } = processEnvironment();
  return {
    connection: { ...connection, ...(flags.kubeconfig && { kubeconfig: flags.kubeconfig }) },
    redisUrl: flags.redis,
    namespace: flags.namespace ?? env.OPERATOR_NAMESPACE ?? HUB_NAMESPACE,
    healthPort: flags.healthPort,
    leaderElect: flags.leaderElect,
    api: apiConfig(flags),
  };
}
