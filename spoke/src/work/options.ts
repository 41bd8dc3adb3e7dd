import { UsageError } from '@kmm-hub/api-types';
import { Command, CommanderError, Option } from 'commander';

export type WorkAgentOptions = {
  kubeconfig?: string;
  hubKubeconfig: string;
  clusterName: string;
  registration: boolean;
  statusSyncIntervalMs: number;
  evictionGraceMs: number;
  /** 0 = no server. */
  healthPort: number;
};

type Flags = {
  kubeconfig?: string;
  hubKubeconfig: string;
  clusterName: string;
  registration: boolean;
  statusSyncInterval: number;
  appliedmanifestworkEvictionGracePeriod: number;
  healthPort: number;
};

const unitMs: Record<string, number> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000 };

/** "1.5s", "500ms", "10m", "1h" or bare seconds → milliseconds. @throws UsageError */
export function parseDurationMs(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const durationMs = Number(number) * (unitMs[unit] ?? Number.NaN);
  if (number === '' || !(durationMs > 0)) {
    throw new UsageError(`${text} is no duration`, 'Write it as 10s, 1.5s, 500ms, 5m or 1h.');
  }
  return durationMs;
}

/** `undefined` when only help was asked for, which is then printed. Names of flags are OCM's. @throws UsageError */
export function parseOptions(args: readonly string[]): WorkAgentOptions | undefined {
  const command = workAgentCommand();
  try {
    command.parse(args, { from: 'user' });
  } catch (err) {
    if (err instanceof CommanderError && err.exitCode === 0) return undefined;
    throw usageErrorFor(err);
  }
  const {
    appliedmanifestworkEvictionGracePeriod: evictionGraceMs,
    statusSyncInterval,
    ...rest
  } = command.opts<Flags>();
  return { ...rest, statusSyncIntervalMs: statusSyncInterval, evictionGraceMs };
}

function workAgentCommand(): Command {
  return new Command('work-agent')
    .description("Applies the ManifestWorks of one cluster; stands in for OCM's work and registration agents.")
    .addOption(
      new Option('--kubeconfig <file>', 'the spoke; default: in-cluster, else KUBECONFIG').env('KMM_KUBECONFIG'),
    )
    .addOption(new Option('--hub-kubeconfig <file>', 'the hub').env('KMM_HUB_KUBECONFIG').makeOptionMandatory())
    .addOption(
      new Option('--cluster-name <name>', 'name of the ManagedCluster; its works are in the namespace of that name')
        .env('KMM_CLUSTER_NAME')
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--registration', 'also report claims, conditions and capacity, and renew the lease')
        .env('KMM_REGISTRATION')
        .default(false),
    )
    .addOption(
      new Option('--status-sync-interval <duration>', 'how often applied objects are looked at')
        .env('KMM_STATUS_SYNC_INTERVAL')
        .argParser(parseDurationMs)
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--appliedmanifestwork-eviction-grace-period <duration>', 'how long objects outlive a vanished work')
        .env('KMM_APPLIEDMANIFESTWORK_EVICTION_GRACE_PERIOD')
        .argParser(parseDurationMs)
        .default(3_600_000, '1h'),
    )
    .addOption(
      new Option('--health-port <port>', 'serves /healthz, /readyz and /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .argParser(parsePort)
        .default(0),
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined }); // the mistake is told once, by the process
}

/** The process shows a UsageError as one line; everything else is a mistake of ours and passes as it is. */
function usageErrorFor(cause: unknown): unknown {
  if (!(cause instanceof CommanderError)) return cause;
  return new UsageError(cause.message.replace(/^error: /, ''), undefined, { cause });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`${text} is no port`, 'Choose one from 0 to 65535.');
  return port;
}
