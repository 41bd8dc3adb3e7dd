import { expect, test } from 'vitest';
import { type KernelClaimPlan, planKernelClaim } from './plan.ts';

const both = '5.14.0-427.el9.x86_64+\n6.1.0-53-amd64';

test.each<[string, Parameters<typeof planKernelClaim>, KernelClaimPlan]>([
  [
    'claims every kernel once, sorted, as the nodes say it',
    [['6.1.0-53-amd64', '5.14.0-427.el9.x86_64+', '6.1.0-53-amd64'], undefined],
    { action: 'create', value: both, left: [] },
  ],
  ['does nothing when the claim is right', [both.split('\n'), both], { action: 'none', value: both, left: [] }],
  ['corrects a claim', [both.split('\n'), 'nonsense'], { action: 'update', value: both, left: [] }],
  ['fills an empty claim', [both.split('\n'), ''], { action: 'update', value: both, left: [] }],
  ['deletes the claim of a cluster without kernels', [[], both], { action: 'delete', value: undefined, left: [] }],
  ['makes no claim for a cluster without kernels', [[], undefined], { action: 'none', value: undefined, left: [] }],
  [
    'leaves out what is no kernel, and says so',
    [['6.1.0-53-amd64', 'x\ny'], undefined],
    { action: 'create', value: '6.1.0-53-amd64', left: ['x\ny'] },
  ],
])('planKernelClaim %s', (_behaviour, given, plan) => {
  expect(planKernelClaim(...given)).toEqual(plan);
});

test('kernels that do not fit into a claim are named (W24)', () => {
  const kernels = Array.from(
    { length: 64 },
    (_, index) => `6.1.0-${String(index).padStart(2, '0')}-cloud-amd64-custom`,
  );
  const { value = '', left } = planKernelClaim(kernels, undefined);
  expect(value.length).toBeLessThanOrEqual(1024);
  expect([...value.split('\n'), ...left]).toEqual(kernels);
});
