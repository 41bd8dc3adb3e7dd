import type { ManifestConfig } from '@kmm-hub/api-types';
import { expect, test } from 'vitest';
import { effectiveConfig } from './manifest-config.ts';

const module = { group: 'kmm.sigs.x-k8s.io', resource: 'modules', name: 'hello-kmod', namespace: 'openshift-kmm' };
const config = (
  resourceIdentifier: Partial<typeof module>,
  rest: Omit<ManifestConfig, 'resourceIdentifier'> = {},
): ManifestConfig => ({ resourceIdentifier: { ...module, ...resourceIdentifier }, ...rest });
const wellKnown = [{ type: 'WellKnownStatus' as const }];
const apply = { type: 'ServerSideApply' as const };

test('a manifest that no config names is updated and feeds nothing back', () => {
  const want = { strategy: { type: 'Update' }, feedbackRules: [], conditionRules: [] };
  expect(effectiveConfig(undefined, module)).toEqual(want);
  expect(effectiveConfig([config({ resource: 'pods' }, { updateStrategy: apply })], module)).toEqual(want);
});

test('each part comes from the first match that has it', () => {
  const configs = [
    config({ name: '*' }, { feedbackRules: wellKnown }),
    config({}, { feedbackRules: [], updateStrategy: apply }),
  ];
  expect(effectiveConfig(configs, module)).toEqual({
    strategy: apply,
    feedbackRules: wellKnown,
    conditionRules: [],
  });
});

test.each([
  [{ name: 'hello-*' }, true],
  [{ name: '*o-k*d' }, true],
  [{ name: '*', namespace: 'openshift-*' }, true],
  [{ name: 'hello-kmod*' }, true],
  [{ name: 'hello-kmo*od' }, false], // the parts must not overlap
  [{ name: '*mod*mod' }, false],
  [{ name: 'hello' }, false],
  [{ group: '*' }, false],
  [{ resource: '*' }, false],
])('%j matches: %s', (identifier, matches) => {
  const { strategy } = effectiveConfig([config(identifier, { updateStrategy: apply })], module);
  expect(strategy.type).toBe(matches ? 'ServerSideApply' : 'Update');
});
