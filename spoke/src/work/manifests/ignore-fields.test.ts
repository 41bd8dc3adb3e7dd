import { describe, expect, test } from 'vitest';
import { IgnoreFieldsError } from './errors.ts';
import { CONFIG_SPEC_HASH_ANNOTATION, type IgnoreFields, withoutIgnoredFields } from './ignore-fields.ts';
import type { Manifest } from './manifest.ts';

const manifest = (spec: object = {}) =>
  ({
    apiVersion: 'test.example/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 't', annotations: { 'a.b/c': '1' } },
    spec: { size: 1, parts: [{ name: 'x', size: 1 }, { name: 'y' }], ...spec },
  }) as unknown as Manifest;
const present = (fields: Partial<IgnoreFields[number]>): IgnoreFields => [{ condition: 'OnSpokePresent', ...fields }];
const onChange = (fields: Partial<IgnoreFields[number]>): IgnoreFields => [{ condition: 'OnSpokeChange', ...fields }];
const specOf = (sent: Manifest) => (sent as unknown as { spec: object }).spec;
const x = { name: 'x', size: 1 };

describe('fields of OnSpokePresent', () => {
  test.each<[string, Partial<IgnoreFields[number]>, object]>([
    ['a field by its JSONPath', { jsonPaths: ['.spec.size'] }, { parts: [x, { name: 'y' }] }],
    [
      'a field of every item of a list',
      { jsonPaths: ['.spec.parts[*].size'] },
      { size: 1, parts: [{ name: 'x' }, { name: 'y' }] },
    ],
    ['a whole list', { jsonPaths: ['.spec.parts'] }, { size: 1 }],
    ['no item of a list by JSONPath', { jsonPaths: ['.spec.parts[0]'] }, { size: 1, parts: [x, { name: 'y' }] }],
    ['nothing that is not there', { jsonPaths: ['.spec.no.such'] }, { size: 1, parts: [x, { name: 'y' }] }],
    ['a field by its JSON pointer', { jsonPointers: ['/spec/size'] }, { parts: [x, { name: 'y' }] }],
    ['an item of a list by JSON pointer', { jsonPointers: ['/spec/parts/0'] }, { size: 1, parts: [{ name: 'y' }] }],
    [
      'nothing by a pointer to nowhere',
      { jsonPointers: ['/spec/no/such', '/spec/parts/length'] },
      { size: 1, parts: [x, { name: 'y' }] },
    ],
  ])('%s is what is left out', (_what, fields, spec) => {
    const { filtered, whole } = withoutIgnoredFields(manifest(), present(fields));
    expect(specOf(filtered)).toEqual(spec);
    expect(specOf(whole)).toEqual(specOf(manifest()));
  });

  test('an annotation with dots in its name is left out by both', () => {
    for (const fields of [
      { jsonPaths: ['.metadata.annotations.a\\.b/c'] },
      { jsonPointers: ['/metadata/annotations/a.b~1c'] },
    ]) {
      const { filtered, hash } = withoutIgnoredFields(manifest(), present(fields));
      expect(filtered.metadata.annotations).toEqual({ [CONFIG_SPEC_HASH_ANNOTATION]: hash });
    }
  });
});

describe('the hash', () => {
  const hashOf = (spec: object, fields: IgnoreFields) => withoutIgnoredFields(manifest(spec), fields).hash;
  const size = { jsonPaths: ['.spec.size'] };

  test('is on both forms, and does not look at the order of keys', () => {
    const { whole, filtered, hash } = withoutIgnoredFields(manifest({ a: 1, b: { c: 1, d: 2 } }), present(size));
    for (const sent of [whole, filtered]) {
      expect(sent.metadata.annotations).toEqual({ 'a.b/c': '1', [CONFIG_SPEC_HASH_ANNOTATION]: hash });
    }
    expect(hashOf({ b: { d: 2, c: 1 }, a: 1 }, present(size))).toBe(hash);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
  });

  test('does not see a field of OnSpokePresent, and sees every other', () => {
    expect(hashOf({ size: 2 }, present(size))).toBe(hashOf({ size: 1 }, present(size)));
    expect(hashOf({ more: 2 }, present(size))).not.toBe(hashOf({}, present(size)));
  });

  test('sees a field of OnSpokeChange, which is sent, too', () => {
    expect(hashOf({ size: 2 }, onChange(size))).not.toBe(hashOf({ size: 1 }, onChange(size)));
    expect(specOf(withoutIgnoredFields(manifest(), onChange(size)).filtered)).toEqual(specOf(manifest()));
  });
});

test.each<[string, Partial<IgnoreFields[number]>]>([
  ['a JSONPath that cannot be read', { jsonPaths: ['.spec['] }],
  ['a JSON pointer without its slash', { jsonPointers: ['spec/size'] }],
  ['the whole object', { jsonPointers: [''] }],
  ['jq', { jqPathExpressions: ['.spec.size'] }],
])('%s is refused in words that name it', (_what, fields) => {
  const [[name = '', [text = ''] = []] = []] = Object.entries(fields);
  const act = () => withoutIgnoredFields(manifest(), present(fields));
  expect(act).toThrow(IgnoreFieldsError);
  expect(act).toThrow(name.startsWith('jq') ? 'jqPathExpressions' : text);
});
