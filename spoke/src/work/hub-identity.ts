import { createHash } from 'node:crypto';

/**
 * Which hub a spoke's AppliedManifestWork belongs to: sha256 (64 hex characters) of the hub's URL as the kubeconfig has it.
 * OCM's rule, so its agent and this one take over each other's works; another URL is another hub.
 */
export function hubHash(hubUrl: string): string {
  return createHash('sha256').update(hubUrl).digest('hex');
}

/** As whom an agent marks its AppliedManifestWorks. */
export type AgentIdentity = {
  /** Of the hub whose works it applies. */
  hubHash: string;
  /** The same for an agent over all hubs it is moved between; what it applied for an earlier one goes in time (eviction). */
  agentId: string;
};

/** The name of the AppliedManifestWork of a work: `<hub hash>-<work>`. */
export function appliedWorkName(hash: string, workName: string): string {
  return `${hash}-${workName}`;
}
