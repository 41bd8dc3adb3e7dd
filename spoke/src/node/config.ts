import { hostname } from 'node:os';
import { env } from 'node:process';
import { SPOKE_NAMESPACE } from '@kmm-hub/api-types';
import { type ConnectionOptions, processEnvironment } from '@kmm-hub/kube';
import { Command, InvalidArgumentError, Option } from 'commander';

export type NodeAgentFlags = {
  connection: ConnectionOptions;
  nodeName: string;
  /** Where the node's root is mounted. */
  hostRoot: string;
  namespace: string;
  featureIntervalMs: number;
  healthPort: number;
};

/** Reads flags and environment, once. @throws UsageError */
export function nodeAgentFlags(argv: string[]): NodeAgentFlags {
  const command = new Command('node-agent')
    .description("Discovers what one node is, and loads the modules of the node's NodeModulesConfig.")
    .addOption(new Option('--kubeconfig <file>', 'spoke API server; default: in-cluster, else KUBECONFIG'))
    .addOption(new Option('--node-name <name>', 'name of the Node object').env('NODE_NAME').default(hostname()))
    .addOption(new Option('--host-root <dir>', "the node's root folder").env('KMM_HOST_ROOT').default('/'))
    .addOption(new Option('--namespace <name>', 'namespace of NodeFeatures').env('KMM_NAMESPACE'))
    .addOption(
      new Option('--feature-interval <seconds>', 'how often features are discovered')
        .env('KMM_FEATURE_INTERVAL')
        .default(60)
        .argParser(seconds),
    )
    .addOption(
      new Option('--health-port <port>', '/healthz, /readyz, /metrics; 0 = none')
        .env('KMM_HEALTH_PORT')
        .default(8083)
        .argParser(port),
    )
    .parse(argv, { from: 'user' });
  const options = command.opts<{
    kubeconfig?: string;
    nodeName: string;
    hostRoot: string;
    namespace?: string;
    featureInterval: number;
    healthPort: number;
  }>();
  const { connection } = processEnvironment();
  return {
    connection: { ...connection, ...(options.kubeconfig && { kubeconfig: options.kubeconfig }) },
    nodeName: options.nodeName,
    hostRoot: options.hostRoot,
    namespace: options.namespace ?? env.OPERATOR_NAMESPACE ?? SPOKE_NAMESPACE,
    featureIntervalMs: options.featureInterval * 1000,
    healthPort: options.healthPort,
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 86_400)) throw new InvalidArgumentError('not a number of seconds from 1 to 86400');
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('not a port (0–65535)');
  return value;
}
