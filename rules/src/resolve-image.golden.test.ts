import type { ModuleLoaderContainer } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { readRows } from './golden/read-rows.ts';
import type { RawKernelVersion } from './kernel-version.ts';
import { type ResolvedImage, resolveModuleImage } from './resolve-image.ts';

type Case = {
  kernel: RawKernelVersion;
  container: Omit<ModuleLoaderContainer, 'modprobe'> & Partial<ModuleLoaderContainer>;
  resolved?: 'none' | (Pick<ResolvedImage, 'image'> & Partial<ResolvedImage>);
  error?: string;
};
const usual = { inTreeModulesToRemove: [], dirName: '/opt', warnings: [] };

test.each(readRows<Case>('resolve-image'))('resolveModuleImage $behaviour', (row) => {
  const container = { modprobe: {}, ...row.container };
  const before = structuredClone(container);
  const result = resolveModuleImage({ container, kernel: row.kernel, moduleName: 'kmod', moduleNamespace: 'spoke-ns' });
  const outcome = result.ok ? { resolved: result.value ?? 'none' } : { error: explainRule(result.error) };
  const { resolved, error } = row;
  const wanted = typeof resolved === 'object' ? { kernelVersion: row.kernel, ...usual, ...resolved } : resolved;
  expect(outcome).toStrictEqual(error === undefined ? { resolved: wanted } : { error });
  expect(container).toEqual(before); // W1: inputs are never changed
});

function explainRule({ code, message }: { code: string; message: string }): string {
  return `${code}: ${message}`;
}
