import { UsageError } from '@kmm-hub/api-types';
import { environmentFlag as flag, integerFlag, parseFlags } from '@kmm-hub/kube';
import { Command } from 'commander';

export type WorkAgentOptions = {
  kubeconfig?: string;
  hubKubeconfig: string;
  clusterName: string;
  /** Default: the hash of the hub's URL. */
  agentId?: string;
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
  agentId?: string;
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
  const flags = parseFlags<Flags>(workAgentCommand(), args);
  if (flags === undefined) return undefined;
  const { appliedmanifestworkEvictionGracePeriod: evictionGraceMs, statusSyncInterval, ...rest } = flags;
  return { ...rest, statusSyncIntervalMs: statusSyncInterval, evictionGraceMs };
}

function workAgentCommand(): Command {
  return new Command('work-agent')
    .description("Applies the ManifestWorks of one cluster; stands in for OCM's work and registration agents.")
    .addOption(flag('--kubeconfig <file>', 'the spoke; default: in-cluster, else KUBECONFIG'))
    .addOption(flag('--hub-kubeconfig <file>', 'the hub').makeOptionMandatory())
    .addOption(
      flag(
        '--cluster-name <name>',
        'name of the ManagedCluster; its works are in the namespace of that name',
      ).makeOptionMandatory(),
    )
    .addOption(flag('--agent-id <id>', "marks what this agent applied, over all its hubs; default: the hub's hash"))
    .addOption(
      flag('--registration', 'also report claims, conditions and capacity, and renew the lease').default(false),
    )
    .addOption(
      flag('--status-sync-interval <duration>', 'how often applied objects are looked at')
        .argParser(parseDurationMs)
        .default(10_000, '10s'),
    )
    .addOption(
      flag('--appliedmanifestwork-eviction-grace-period <duration>', 'how long objects outlive a vanished work')
        .argParser(parseDurationMs)
        .default(3_600_000, '1h'),
    )
    .addOption(
      flag('--health-port <port>', 'serves /healthz, /readyz and /metrics; 0 = none')
        .argParser(integerFlag(0, 65_535))
        .default(0),
    );
}
