import { env, stdout } from 'node:process';
import type { ConnectionOptions } from './connection.ts';

/** The environment that every process reads, once. */
export function processEnvironment(): { connection: ConnectionOptions; logLevel: string; terminal: boolean } {
  return {
    connection: {
      ...(env.KUBERNETES_SERVICE_HOST && { serviceHost: env.KUBERNETES_SERVICE_HOST }),
      ...(env.KUBERNETES_SERVICE_PORT && { servicePort: env.KUBERNETES_SERVICE_PORT }),
      ...(env.KUBECONFIG && { kubeconfigVariable: env.KUBECONFIG }),
    },
    logLevel: env.LOG_LEVEL ?? 'info',
    terminal: stdout.isTTY === true,
  };
}
