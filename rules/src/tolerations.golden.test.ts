import type { Taint, Toleration } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import { toleratesTaints } from './tolerations.ts';

type Case = { taints: Taint[]; tolerations: Toleration[]; tolerates: boolean };

test.each(readRows<Case>('tolerations'))('a module $behaviour', ({ taints, tolerations, tolerates }) => {
  expect(toleratesTaints(taints, tolerations)).toBe(tolerates);
});
