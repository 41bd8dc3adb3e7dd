import { expect, test } from 'vitest';
import { expandCoreTypes } from './expand.ts';

const core = {
  Mount: { type: 'object', description: 'A mount.', properties: { from: { 'x-core-type': 'Source' } } },
  Source: { type: 'object', properties: { path: { type: 'string' } } },
};

test('a core type is written out wherever it is used, with the words of its user', () => {
  const schema = {
    type: 'object',
    properties: { mounts: { type: 'array', items: { 'x-core-type': 'Mount', description: 'Ours.' } } },
    additionalProperties: { 'x-core-type': 'Source' },
  };
  const source = { type: 'object', properties: { path: { type: 'string' } } };
  expect(expandCoreTypes(schema, core)).toEqual({
    type: 'object',
    properties: {
      mounts: { type: 'array', items: { type: 'object', description: 'Ours.', properties: { from: source } } },
    },
    additionalProperties: source,
  });
});

test('a path on the host gets the bound that its rule needs', () => {
  const HostPathVolumeSource = { type: 'object', properties: { path: { type: 'string' } } };
  expect(expandCoreTypes({ 'x-core-type': 'HostPathVolumeSource' }, { HostPathVolumeSource })).toEqual({
    type: 'object',
    properties: { path: { type: 'string', maxLength: 4096 } },
  });
});

test('a core type that was not extracted is named', () => {
  expect(() => expandCoreTypes({ 'x-core-type': 'Probe' }, core)).toThrow('core type Probe is not extracted');
});
