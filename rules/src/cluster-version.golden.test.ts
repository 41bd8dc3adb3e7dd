import type { Dra } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { checkClusterVersion } from './cluster-version.ts';
import { readRows } from './golden/read-rows.ts';

type Case = { asks?: 'dra'; version?: string; error?: string };
const dra: Dra = { container: { image: 'r/driver:1' }, driverName: 'gpu.example.com' };

test.each(readRows<Case>('cluster-version'))('checkClusterVersion $behaviour', ({ asks, version, error }) => {
  const checked = checkClusterVersion(asks === 'dra' ? { dra } : {}, version);
  expect(checked.ok ? undefined : `${checked.error.code}: ${checked.error.message}`).toBe(error);
});
