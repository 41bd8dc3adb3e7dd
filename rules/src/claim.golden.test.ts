import { expect, test } from 'vitest';
import { formatKernelVersionsClaim, parseKernelVersionsClaim } from './claim.ts';
import { readRows } from './golden/read-rows.ts';

type Case = { claim: string; kernels: string[]; invalid?: string[]; rewritten?: string };

test.each(readRows<Case>('claim'))('the kernels claim: $behaviour', ({ claim, kernels, invalid = [], rewritten }) => {
  expect(parseKernelVersionsClaim(claim)).toEqual({ kernels, invalid });
  expect(formatKernelVersionsClaim(kernels)).toEqual({ value: rewritten, omitted: [], invalid: [] });
});
