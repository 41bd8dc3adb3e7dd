import { SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { environmentFlag as flag, integerFlag, leaderElectFlag, parseFlags } from '@kmm-hub/kube';
import { Command, InvalidArgumentError } from 'commander';

export type ClusterAgentOptions = {
  /** Undefined: in-cluster, else KUBECONFIG. */
  kubeconfig?: string;
  hubKubeconfig: string;
  /** Name of the ManagedCluster, and of its namespace on the hub. */
  clusterName: string;
  /** Namespace of the operator and of the node agents. */
  namespace: string;
  /** 0 = no server. */
  healthPort: number;
  leaderElect: boolean;
};

const DESCRIPTION = 'Decides what every node of this cluster loads, sums up what the nodes report, and tells the hub.';

/**
 * Reads the flags (`argv` as in process.argv), each of which may also come from the environment as KMM_ and its name.
 * Undefined when only the help was wanted; it has been printed then. @throws UsageError
 */
export function readOptions(argv: readonly string[]): ClusterAgentOptions | undefined {
  const command = new Command('spoke-cluster')
    .description(DESCRIPTION)
    .addOption(flag('--kubeconfig <file>', 'kubeconfig of this cluster; default in-cluster, else KUBECONFIG'))
    .addOption(flag('--hub-kubeconfig <file>', 'kubeconfig of the hub').makeOptionMandatory())
    .addOption(
      flag('--cluster-name <name>', 'name of this cluster on the hub').makeOptionMandatory().argParser(cluster),
    )
    .addOption(flag('--namespace <name>', 'namespace of the operator and its agents').default(SPOKE_NAMESPACE))
    .addOption(
      flag('--health-port <port>', 'serves /healthz, /readyz, /metrics; 0 = none')
        .default(0)
        .argParser(integerFlag(0, 65_535)),
    )
    .addOption(leaderElectFlag());
  return parseFlags<ClusterAgentOptions>(command, argv.slice(2));
}

function cluster(text: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('It is the name of a namespace: lower-case letters, digits and "-", at most 63');
}
