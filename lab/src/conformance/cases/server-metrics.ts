import type { KubeClient } from '@kmm-hub/kube';

/** How many patches of a custom resource an API server was asked for so far, refused ones too: it counts them itself. */
export async function appliesSent(client: KubeClient, resource: string, signal: AbortSignal): Promise<number> {
  const metrics = await client.raw<string>('/metrics', signal);
  const counts = metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_request_total{') && line.includes(`resource="${resource}"`))
    .filter((line) => /verb="(APPLY|PATCH)"/.test(line));
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
