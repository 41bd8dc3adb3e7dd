import { explain, HubError } from '@kmm-hub/api-types';
import { ForbiddenError, type KubeClient, NotFoundError } from '@kmm-hub/kube';
import type { SpokeHealth } from './plan.ts';

/** Asks the API server how it is: /livez, or /healthz where that is not served or not allowed (OCM). */
export async function askHealth(spoke: KubeClient, signal: AbortSignal): Promise<SpokeHealth> {
  try {
    await askLiveness(spoke, signal);
    const { gitVersion } = await spoke.raw<{ gitVersion: string }>('/version', signal);
    return { healthy: true, version: gitVersion };
  } catch (err) {
    if (!(err instanceof HubError)) throw err;
    return { healthy: false, message: explain(err) };
  }
}

async function askLiveness(spoke: KubeClient, signal: AbortSignal): Promise<void> {
  try {
    await spoke.raw('/livez', signal);
  } catch (err) {
    if (!(err instanceof NotFoundError || err instanceof ForbiddenError)) throw err;
    await spoke.raw('/healthz', signal);
  }
}
