import { env, stdout } from 'node:process';
import type { ConnectionOptions } from './connection.ts';
import type { ProxySettings } from './proxy.ts';

/** The environment that every process reads, once. */
export function processEnvironment(): { connection: ConnectionOptions; logLevel: string; terminal: boolean } {
  return {
    connection: {
      ...(env.KUBERNETES_SERVICE_HOST && { serviceHost: env.KUBERNETES_SERVICE_HOST }),
      ...(env.KUBERNETES_SERVICE_PORT && { servicePort: env.KUBERNETES_SERVICE_PORT }),
      ...(env.KUBECONFIG && { kubeconfigVariable: env.KUBECONFIG }),
      proxy: proxySettings(),
    },
    logLevel: env.LOG_LEVEL ?? 'info',
    terminal: stdout.isTTY === true,
  };
}

/** The upper-case names win, as in Go. */
function proxySettings(): ProxySettings {
  const [httpProxy, httpsProxy] = [env.HTTP_PROXY || env.http_proxy, env.HTTPS_PROXY || env.https_proxy];
  const noProxy = env.NO_PROXY || env.no_proxy;
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) };
}
