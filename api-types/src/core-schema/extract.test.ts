import { expect, test } from 'vitest';
import { extractCoreSchemas, type OpenApiDocument } from './extract.ts';

const documentOf = (schemas: OpenApiDocument['components']['schemas']): OpenApiDocument => ({
  components: { schemas },
});
const refer = (name: string) => ({ allOf: [{ $ref: `#/components/schemas/${name}` }] });
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

test('a referred type is named where it is used and extracted beside it, once', () => {
  const document = documentOf({
    'io.k8s.api.core.v1.Volume': {
      type: 'object',
      properties: {
        a: { description: 'The a. More.', ...refer('io.k8s.api.core.v1.Source') },
        b: { type: 'array', items: { default: {}, ...refer('io.k8s.api.core.v1.Source') } },
      },
    },
    'io.k8s.api.core.v1.Source': { type: 'object', properties: { self: refer('io.k8s.api.core.v1.Source') } },
    'io.k8s.api.core.v1.Unused': { type: 'object' },
  });
  expect(extractCoreSchemas(document, ['Volume'])).toEqual({
    Source: { type: 'object', properties: { self: { 'x-core-type': 'Source' } } },
    Volume: {
      type: 'object',
      properties: {
        a: { description: 'The a.', 'x-core-type': 'Source' },
        b: { type: 'array', items: { 'x-core-type': 'Source' } },
      },
    },
  });
});

test.each([
  [
    'a quantity takes integers and strings',
    refer(QUANTITY),
    { 'x-kubernetes-int-or-string': true, pattern: expect.any(String) },
  ],
  ["Go's zero value is no default", { type: 'string', default: '' }, { type: 'string' }],
  ['a real default stays', { type: 'string', default: 'ext4' }, { type: 'string', default: 'ext4' }],
  ['an enum goes, since a newer cluster may know more', { type: 'string', enum: ['a'] }, { type: 'string' }],
  ['what is for kubectl patch goes', { type: 'array', 'x-kubernetes-patch-strategy': 'merge' }, { type: 'array' }],
  [
    'an abbreviation does not end a sentence',
    { description: 'A path, e.g. /dev. More.' },
    { description: 'A path, e.g. /dev.' },
  ],
])('%s', (_fact, field, want) => {
  const document = documentOf({ 'io.k8s.api.core.v1.T': { type: 'object', properties: { field } } });
  expect(extractCoreSchemas(document, ['T'])).toEqual({ T: { type: 'object', properties: { field: want } } });
});

test('a type that the API server does not have is named', () => {
  expect(() => extractCoreSchemas(documentOf({}), ['Volume'])).toThrow('no schema io.k8s.api.core.v1.Volume');
});
