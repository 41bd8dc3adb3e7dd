import { type ClusterClaim, type ManagedCluster, SPOKE_ONLY_LABEL } from '@kmm-hub/api-types';

export type ReportedClaim = NonNullable<NonNullable<ManagedCluster['status']>['clusterClaims']>[number];

/** Claims of Kubernetes and OCM themselves: they come first and are not counted. */
const reservedNames: ReadonlySet<string> = new Set([
  'id.k8s.io',
  'kubeversion.open-cluster-management.io',
  'platform.open-cluster-management.io',
  'product.open-cluster-management.io',
]);
const MAX_CUSTOM_CLAIMS = 20;
const MAX_VALUE_CHARACTERS = 1024;

/**
 * The claims that go to the hub, in OCM's order: reserved ones, then the first 20 custom ones by name. `dropped` names the
 * rest of the custom ones, and those whose value the hub would refuse.
 */
export function claimsToReport(claims: readonly ClusterClaim[]): { reported: ReportedClaim[]; dropped: string[] } {
  const shown = claims
    .filter(({ metadata }) => metadata.labels?.[SPOKE_ONLY_LABEL] === undefined)
    .map(({ metadata: { name }, spec }) => ({ name, value: spec?.value ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const valid = shown.filter(({ value }) => value !== '' && [...value].length <= MAX_VALUE_CHARACTERS);
  const custom = valid.filter(({ name }) => !reservedNames.has(name)).slice(0, MAX_CUSTOM_CLAIMS);
  const reported = [...valid.filter(({ name }) => reservedNames.has(name)), ...custom];
  const sent = new Set(reported.map(({ name }) => name));
  return { reported, dropped: shown.map(({ name }) => name).filter((name) => !sent.has(name)) };
}
