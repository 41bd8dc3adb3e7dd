import type { Lease, ManagedCluster } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { AVAILABLE, type LeasePlan, planLease } from './lease-plan.ts';

const cluster = (spec: object = {}, available?: 'True' | 'Unknown'): ManagedCluster => ({
  metadata: { name: 'c' },
  spec: { hubAcceptsClient: true, leaseDurationSeconds: 2, ...spec },
  ...(available && {
    status: { conditions: [{ type: AVAILABLE, status: available, reason: 'x', message: '', lastTransitionTime: '' }] },
  }),
});
const lease: Lease = { metadata: { name: 'managed-cluster-lease', namespace: 'c' }, spec: { renewTime: 't' } };
const seen = { renewTime: 't', atMs: 1000 };
const base = { lease, seen, nowMs: 1000 };
const leaving = { ...cluster(), metadata: { name: 'c', deletionTimestamp: 'x' } };

type Given = { of: ManagedCluster | undefined; nowMs?: number; lease?: undefined };
test.each<[string, Given, LeasePlan]>([
  ['a cluster that is not there', { of: undefined }, { action: 'none' }],
  ['a cluster that is not accepted', { of: cluster({ hubAcceptsClient: false }) }, { action: 'none' }],
  ['a cluster without a lease', { of: cluster(), lease: undefined }, { action: 'create' }],
  ['a cluster that leaves without a lease', { of: leaving, lease: undefined }, { action: 'none' }],
  ['a fresh renewal', { of: cluster() }, { action: 'wait', forMs: 10_000 }],
  ['a renewal just before the end', { of: cluster(), nowMs: 10_999 }, { action: 'wait', forMs: 1 }],
  ['a lease that ran out', { of: cluster({}, 'True'), nowMs: 11_000 }, { action: 'markUnknown' }],
  ['a lease that ran out before the cluster ever joined', { of: cluster(), nowMs: 11_000 }, { action: 'markUnknown' }],
  ['a lease that ran out and was told', { of: cluster({}, 'Unknown'), nowMs: 11_000 }, { action: 'none' }],
  ['the default of a minute', { of: cluster({ leaseDurationSeconds: undefined }) }, { action: 'wait', forMs: 300_000 }],
])('%s', (_what, { of, ...more }, plan) => {
  expect(planLease(of, { ...base, ...more })).toEqual(plan);
});
