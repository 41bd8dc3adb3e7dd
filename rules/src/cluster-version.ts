import type { ModuleSpec } from '@kmm-hub/api-types';
import { accepted, type RuleResult, refused } from './rule-error.ts';

/** Kubernetes 1.34 serves resource.k8s.io/v1, in which a Module's DeviceClasses are made (KMM v2.6 §1.3, §1.10 rule 3). */
const LEAST_FOR_DRA = { major: 1, minor: 34 };

/**
 * Whether a cluster can run what the module asks for. `kubernetesVersion` is what its API server says, e.g. "v1.33.4+k3s1"; a
 * pre-release counts as its release. Upstream checks this in the spoke's webhook only, so that its hub sends works that no spoke
 * takes (W8).
 *
 * Nothing is held against a cluster whose version is not known: its own side decides. ClusterTooOld otherwise.
 */
export function checkClusterVersion(
  { dra }: Pick<ModuleSpec, 'dra'>,
  kubernetesVersion: string | undefined,
): RuleResult<undefined> {
  const [, major, minor] = /^v?(\d{1,9})\.(\d{1,9})/.exec(kubernetesVersion ?? '')?.map(Number) ?? [];
  if (!dra || major === undefined || minor === undefined) return accepted(undefined);
  const { major: leastMajor, minor: leastMinor } = LEAST_FOR_DRA;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return accepted(undefined);
  const least = `${leastMajor}.${leastMinor}`;
  return refused('ClusterTooOld', `dra needs Kubernetes ${least}, and the cluster runs ${kubernetesVersion}`);
}
