import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { apiReference } from './api-reference.ts';
import type { CrdDefinition, OtherVersion } from './crd.ts';
import { rules, StringMap, Texts } from './schema.ts';

const definition: CrdDefinition = {
  ...{
    group: 'lab.example',
    version: 'v1',
    kind: 'Widget',
    plural: 'widgets',
    shortNames: ['wdg'],
    scope: 'Namespaced',
  },
  description: 'A thing.',
  properties: Type.Object({
    spec: Type.Object(
      {
        size: Type.Integer({ default: 1, minimum: 1, description: 'In <metres> or `<feet>`.' }),
        tags: Type.Optional(Texts('Tags.', { maxItems: 3, maxLength: 9 })),
        labels: Type.Optional(StringMap({ description: 'a|b' })),
        parts: Type.Optional(
          Type.Array(Type.Object({ id: Type.String({ pattern: '^(a|b)$', description: 'Id.' }) }), {
            description: 'Parts.',
          }),
        ),
        volume: Type.Optional(Type.Unsafe({ type: 'object', 'x-core-type': 'Volume', description: 'Where.' })),
      },
      { description: 'Wanted.', ...rules({ rule: 'true', message: 'size is wrong; correct it' }) },
    ),
  }),
  columns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
};

test('the reference tells how a version that is served too differs', () => {
  const linesFor = (...otherVersions: OtherVersion[]) => {
    const text = apiReference(new Map([['Ours', [{ ...definition, otherVersions }]]]), {});
    return text.split('\n').filter((line) => line.startsWith('Served'));
  };
  const spec = Type.Object({ size: Type.Integer(), tags: Type.Array(Type.String()) });
  expect(linesFor({ version: 'v1beta1' }, { version: 'v1alpha1', properties: Type.Object({ spec }) })).toEqual([
    'Served as `lab.example/v1beta1` too, with the same fields.',
    'Served as `lab.example/v1alpha1` too, without `spec.labels`, `spec.parts`, `spec.parts[].id`, `spec.volume` and with `spec.tags` required.',
  ]);
});

test('the reference tells every field with its type, default, bounds and words, and every rule', () => {
  const core = { Volume: { type: 'object', description: 'A volume.', properties: { name: { type: 'string' } } } };
  const text = apiReference(new Map([['Ours', [definition]]]), core);
  expect(text.slice(text.indexOf('## Ours')).replaceAll(/\n+/g, '\n').trim().split('\n')).toEqual([
    '## Ours',
    '### Widget',
    'A thing.',
    '`lab.example/v1` · Namespaced · `widgets`, `wdg` · columns Age',
    '| Field | Type | Default and bounds | What it is |',
    '| --- | --- | --- | --- |',
    '| **`spec`** | object |  | Wanted. |',
    '| **`spec.size`** | integer | default `1`, ≥ 1 | In \\<metres> or `<feet>`. |',
    '| `spec.tags` | list of string | ≤ 3 entries, each ≤ 9 long | Tags. |',
    '| `spec.labels` | map to string | ≤ 256 entries, each ≤ 4096 long | a\\|b |',
    '| `spec.parts` | list of object |  | Parts. |',
    '| **`spec.parts[].id`** | string | `^(a\\|b)$` | Id. |',
    '| `spec.volume` | [Volume](#volume) |  | Where. |',
    'Refused, in the words of the API server:',
    '- `spec`: size is wrong; correct it',
    '## Core types',
    '### Volume',
    'A volume.',
    '| Field | Type | Default and bounds | What it is |',
    '| --- | --- | --- | --- |',
    '| `name` | string |  |  |',
  ]);
});
