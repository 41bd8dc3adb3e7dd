import { hostname } from 'node:os';
import { env } from 'node:process';
import { SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { type ConnectionOptions, environmentFlag, integerFlag, parseFlags, processEnvironment } from '@kmm-hub/kube';
import { Command } from 'commander';

export type NodeAgentFlags = {
  connection: ConnectionOptions;
  nodeName: string;
  /** Where the node's root is mounted. */
  hostRoot: string;
  namespace: string;
  featureIntervalMs: number;
  healthPort: number;
};

type Flags = {
  kubeconfig?: string;
  nodeName: string;
  hostRoot: string;
  namespace?: string;
  featureInterval: number;
  healthPort: number;
};

/** Reads flags and environment, once. `undefined` when only help was asked for, which is then printed. @throws UsageError */
export function nodeAgentFlags(argv: readonly string[]): NodeAgentFlags | undefined {
  const flags = parseFlags<Flags>(nodeAgentCommand(), argv);
  if (flags === undefined) return undefined;
  const { kubeconfig, featureInterval, namespace, ...rest } = flags;
  const { connection } = processEnvironment();
  return {
    ...rest,
    connection: { ...connection, ...(kubeconfig !== undefined && { kubeconfig }) },
    namespace: namespace ?? env.OPERATOR_NAMESPACE ?? SPOKE_NAMESPACE,
    featureIntervalMs: featureInterval * 1000,
  };
}

function nodeAgentCommand(): Command {
  return new Command('node-agent')
    .description("Discovers what one node is, and loads the modules of the node's NodeModulesConfig.")
    .addOption(environmentFlag('--kubeconfig <file>', 'spoke API server; default: in-cluster, else KUBECONFIG'))
    .addOption(environmentFlag('--node-name <name>', 'name of the Node object').default(env.NODE_NAME ?? hostname()))
    .addOption(environmentFlag('--host-root <dir>', "the node's root folder").default('/'))
    .addOption(environmentFlag('--namespace <name>', `namespace of NodeFeatures; default: ${SPOKE_NAMESPACE}`))
    .addOption(
      environmentFlag('--feature-interval <seconds>', 'how often features are discovered')
        .default(60)
        .argParser(integerFlag(1, 86_400)),
    )
    .addOption(
      environmentFlag('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .default(8083)
        .argParser(integerFlag(0, 65_535)),
    );
}
