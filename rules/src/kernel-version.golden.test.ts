import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import {
  dnsSafeKernelVersion,
  kernelParts,
  normaliseKernelVersion,
  parseKernelVersion,
  type TrimmedKernelVersion,
  trimKernelVersion,
} from './kernel-version.ts';

type Forms = {
  trimmed?: string;
  normalised?: string;
  dnsSafe?: string;
  parts?: { x: string; y: string; z: string };
};

test.each(readRows<Forms & { raw: string }>('kernel-version'))('a kernel version $behaviour', (row) => {
  const { raw, behaviour: _title, upstream: _note, cells: _cells, ...forms } = row;
  const kernel = parseKernelVersion(raw);
  expect(kernel.ok ? allForms(trimKernelVersion(kernel.value)) : {}).toEqual(forms);
  if (!kernel.ok) expect(kernel.error).toMatchObject({ code: 'WrongKernelVersion', retry: 'never' });
});

function allForms(trimmed: TrimmedKernelVersion): Forms {
  const parts = kernelParts(trimmed);
  return {
    trimmed,
    normalised: normaliseKernelVersion(trimmed),
    dnsSafe: dnsSafeKernelVersion(trimmed),
    ...(parts.ok && { parts: parts.value }),
  };
}

test('different kernels can share a DNS-safe name (W30)', () => {
  const names = ['6.1.0-rc', '6.1.0_RC', '6-1-0.rc'].map((kernel) =>
    dnsSafeKernelVersion(kernel as TrimmedKernelVersion),
  );
  expect(new Set(names)).toEqual(new Set(['6-1-0-rc']));
});
