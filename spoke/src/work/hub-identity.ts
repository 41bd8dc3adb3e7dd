import { createHash } from 'node:crypto';

/**
 * Which hub a spoke's AppliedManifestWork belongs to: sha256 (64 hex characters) of the hub's URL as the kubeconfig has it.
 * OCM's rule, so its agent and this one take over each other's works; another URL is another hub.
 */
export function hubHash(hubUrl: string): string {
  return createHash('sha256').update(hubUrl).digest('hex');
}

/** The name of the AppliedManifestWork of a work: `<hub hash>-<work>`. */
export function appliedWorkName(hash: string, workName: string): string {
  return `${hash}-${workName}`;
}
