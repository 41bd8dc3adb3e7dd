import { networkInterfaces } from 'node:os';
import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { backoffMs, type KubeClient, sleep } from '@kmm-hub/kube';
import type { Logger } from 'pino';

/** In the hub's namespace, shipped empty in deploy/rbac/hub.yaml; who is signed in may read it. */
export const ADDRESS_CONFIG_MAP = 'kmm-hub-api';

/** Where the endpoint is, and the PEM of what a client must trust; no `ca`: what it trusts anyway. */
export type ApiAddress = { url: string; ca?: string };

export function addressOf({ data = {} }: ConfigMap): ApiAddress | undefined {
  const { url, 'ca.crt': ca } = data;
  return url ? { url, ...(ca && { ca }) } : undefined;
}

export type PublishDeps = {
  /** Writes for the leader alone: of several hubs one is told of. */
  client: Pick<KubeClient, 'patch'>;
  namespace: string;
  /** Of now: the certificate may change. */
  address: () => ApiAddress;
  log: Logger;
};

/** Somebody may have changed it, or the certificate; an address that is right costs no write. */
const PUBLISH_AGAIN_MS = 5 * 60_000;

/** Keeps the address where the command line looks for it, until aborted. Never throws. */
export async function publishAddress(
  { client, namespace, address, log }: PublishDeps,
  signal: AbortSignal,
): Promise<void> {
  const ref = { namespace, name: ADDRESS_CONFIG_MAP };
  for (let failures = 0; !signal.aborted; ) {
    const { url, ca = '' } = address();
    try {
      const patch: ConfigMap = { metadata: ref, data: { url, 'ca.crt': ca } };
      await client.patch(configMap, { ref, patch, type: 'apply', fieldManager: 'kmm-hub-api', force: true }, signal);
      failures = 0;
    } catch (err) {
      if (signal.aborted) return;
      failures += 1;
      log.warn({ err, configMap: ADDRESS_CONFIG_MAP }, 'address of the endpoint not published');
    }
    await sleep(failures === 0 ? PUBLISH_AGAIN_MS : backoffMs(failures, { firstMs: 1_000, maxMs: 60_000 }), signal);
  }
}

/** The first address of this machine that others may reach it by, else loopback. */
export function machineAddress(interfaces = networkInterfaces()): string {
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  const reachable = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const found = reachable.find(({ family }) => family === 'IPv4') ?? reachable[0];
  return found?.address ?? '127.0.0.1';
}
