import { expect, test } from 'vitest';
import { formatKernelVersionsClaim } from './claim.ts';

/** 15 characters, 16 with a line break. */
const kernelOf = (number: number) => `6.1.0-${String(number).padStart(3, '0')}-amd64`;

test('writing the claim sorts kernels, takes each once and reports what is no kernel', () => {
  const claim = formatKernelVersionsClaim([kernelOf(2), kernelOf(1), '', kernelOf(2), 'no kernel']);
  expect(claim).toEqual({ value: `${kernelOf(1)}\n${kernelOf(2)}`, omitted: [], invalid: ['', 'no kernel'] });
});

test('writing the claim leaves whole kernels out beyond 1,024 characters (W24)', () => {
  const kernels = Array.from({ length: 70 }, (_, number) => kernelOf(number));
  const claim = formatKernelVersionsClaim(kernels.toReversed());
  expect(claim).toEqual({ value: kernels.slice(0, 64).join('\n'), omitted: kernels.slice(64), invalid: [] });
});

test('writing the claim fills it to the last of 1,024 characters', () => {
  const kernels = Array.from({ length: 63 }, (_, number) => kernelOf(number)); // 1,008 characters with a break behind
  const last = { fits: `6.2.0${'x'.repeat(11)}`, exceeds: `6.2.0${'x'.repeat(12)}` };
  expect(formatKernelVersionsClaim([...kernels, last.fits]).value).toHaveLength(1024);
  expect(formatKernelVersionsClaim([...kernels, last.exceeds]).omitted).toEqual([last.exceeds]);
});
