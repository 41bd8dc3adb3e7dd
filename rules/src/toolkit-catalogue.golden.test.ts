import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import type { TrimmedKernelVersion } from './kernel-version.ts';
import { findToolkitImage, type ToolkitCatalogueEntry } from './toolkit-catalogue.ts';

type Case = { kernel: TrimmedKernelVersion; catalogue: ToolkitCatalogueEntry[]; image?: string; error?: string };

test.each(readRows<Case>('toolkit-catalogue'))('findToolkitImage $behaviour', ({ kernel, catalogue, image, error }) => {
  const found = findToolkitImage(catalogue, kernel);
  expect(found.ok ? { image: found.value } : { error: found.error.message }).toEqual({ image, error });
});
