import type { KernelMapping } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import { findKernelMapping } from './kernel-mapping.ts';
import type { TrimmedKernelVersion } from './kernel-version.ts';

type Case = { kernel: TrimmedKernelVersion; mappings: KernelMapping[]; index?: number; error?: string };

test.each(readRows<Case>('kernel-mapping'))('findKernelMapping $behaviour', ({ kernel, mappings, index, error }) => {
  const found = findKernelMapping(mappings, kernel);
  if (!found.ok) {
    expect(found.error).toMatchObject({ code: 'WrongRegexp', message: error });
    return;
  }
  expect(error).toBeUndefined();
  expect(found.value).toEqual(index === undefined ? undefined : { index, mapping: mappings[index] });
});
