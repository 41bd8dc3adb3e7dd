import { expect, test } from 'vitest';
import type { JsonSchema } from './core-schema/extract.ts';
import { type CrdDefinition, type PrinterColumn, versionsOf } from './crd.ts';
import { kindSchema } from './crd-manifest.ts';
import { crds } from './crds.ts';
import { module } from './module.ts';
import { moduleImage } from './module-image.ts';
import { nodeModulesConfig } from './node-modules-config.ts';

type Place = { path: string; schema: JsonSchema };

/** Every schema below one, lists' entries and maps' values included; core types are the API server's and end the walk. */
function* placesOf(schema: JsonSchema, path: string): Generator<Place> {
  yield { path, schema };
  if (schema['x-core-type']) return;
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* placesOf(field, `${path}.${name}`);
  if (schema.items) yield* placesOf(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* placesOf(schema.additionalProperties, `${path}{}`);
}

function placesIn(definition: CrdDefinition): Place[] {
  const {
    apiVersion: _apiVersion,
    kind: _kind,
    metadata: _metadata,
    ...properties
  } = kindSchema(definition).properties ?? {};
  return [...placesOf({ type: 'object', properties }, definition.kind)];
}

const all = Object.values(crds).flat();
const ours = Object.entries(crds).flatMap(([folder, list]) => (folder.startsWith('ocm') ? [] : list));
const offenders = (list: typeof all, isWrong: (place: Place) => boolean) =>
  list
    .flatMap(({ definition }) => versionsOf(definition).flatMap(placesIn))
    .filter(isWrong)
    .map(({ path }) => path);

test('every field of every kind is described', () => {
  const isField = (path: string) => /\.[^.[{]+$/.test(path);
  expect(offenders(all, ({ path, schema }) => isField(path) && !schema.description && !schema['x-core-type'])).toEqual(
    [],
  );
});

test('every string, list and map of our kinds and of upstream KMM has a bound', () => {
  const unbounded = ({ schema: { type, format, pattern, enum: values, ...schema } }: Place) =>
    (type === 'string' && !format && !values && !pattern?.toString().match(/\{\d+\}\$$/) && !schema.maxLength) ||
    (type === 'array' && !schema.maxItems) ||
    (schema.additionalProperties && !schema.maxProperties);
  expect(offenders(ours, (place) => Boolean(unbounded(place)))).toEqual([]);
});

test('every kind has columns, the last of them its age', () => {
  const lastColumns = all.map(({ definition }) => [definition.kind, definition.columns?.at(-1)?.name]);
  expect(lastColumns).toEqual(all.map(({ kind }) => [kind, 'Age']));
});

const METADATA: JsonSchema = {
  properties: {
    creationTimestamp: { type: 'string', format: 'date-time' },
    labels: { additionalProperties: { type: 'string' } },
  },
};

/**
 * Where a column's JSONPath leads: names with escaped dots, `[*]` and filters, as in `.status.conditions[?(@.type=="A")].status`.
 * What is below an opaque object is not known here, and the object itself is the answer.
 */
function schemaAt(definition: CrdDefinition, jsonPath: string): JsonSchema | undefined {
  const { properties } = kindSchema(definition);
  let at: JsonSchema | undefined = { properties: { ...properties, metadata: METADATA } };
  for (const step of jsonPath.match(/\.(\\.|[^.[\\])+|\[.*?\]/g) ?? []) {
    if (at?.['x-kubernetes-preserve-unknown-fields']) return at;
    const name = step.slice(1).replaceAll('\\', '');
    at = step.startsWith('[') ? at?.items : (at?.properties?.[name] ?? at?.additionalProperties);
  }
  return at;
}

/** A time is a string where it is yet to come, since a date is shown as an age. */
function canShow({ type }: PrinterColumn, field: JsonSchema | undefined): boolean {
  if (field?.['x-kubernetes-preserve-unknown-fields']) return true;
  if (type === 'date') return field?.format === 'date-time';
  return field?.type === type || (type === 'string' && field?.type === 'array');
}

test('every column shows a field that its kind has, by a type that fits', () => {
  const wrong = all
    .flatMap(({ definition }) => versionsOf(definition))
    .flatMap((version) =>
      (version.columns ?? [])
        .filter((column) => !canShow(column, schemaAt(version, column.jsonPath)))
        .map(({ name, jsonPath }) => `${version.kind} ${version.version} ${name}: ${jsonPath}`),
    );
  expect(wrong).toEqual([]);
});

test('every kind of ours and of upstream KMM has a short name, and no two of one group have the same', () => {
  expect(ours.filter(({ definition }) => !definition.shortNames?.length).map(({ kind }) => kind)).toEqual([]);
  const names = all.flatMap(({ group, definition }) => (definition.shortNames ?? []).map((name) => `${name}.${group}`));
  expect(new Set(names).size).toBe(names.length);
});

test('every rule says what to do in words of its own', () => {
  const rules = all.flatMap(({ definition }) =>
    [...placesOf(kindSchema(definition), definition.kind)].flatMap(
      ({ schema }) => (schema['x-kubernetes-validations'] as { rule: string; message: string }[] | undefined) ?? [],
    ),
  );
  const messageOf = new Map(rules.map(({ rule, message }) => [message, rule]));
  expect(rules.filter(({ rule, message }) => messageOf.get(message) !== rule)).toEqual([]);
  expect(rules.filter(({ message }) => !message.includes(';')).map(({ message }) => message)).toEqual([]);
});

/** Bounds below a place of one kind, by the path from there. */
function boundsBelow(definition: CrdDefinition, place: string): Map<string, number> {
  const keywords = ['maxLength', 'maxItems', 'maxProperties'];
  return new Map(
    placesIn(definition).flatMap(({ path, schema }) =>
      keywords.flatMap((keyword) =>
        path.startsWith(place) && typeof schema[keyword] === 'number'
          ? [[`${path.slice(place.length)} ${keyword}`, schema[keyword]] as const]
          : [],
      ),
    ),
  );
}

const LOADER = 'Module.spec.moduleLoader.container';
const CONFIG = 'NodeModulesConfig.spec.modules[].config';
test.each([
  { from: `${LOADER}.modprobe`, to: `${CONFIG}.modprobe`, kind: nodeModulesConfig, lists: 1 },
  { from: `${LOADER}.inTreeModulesToRemove`, to: `${CONFIG}.inTreeModulesToRemove`, kind: nodeModulesConfig, lists: 1 },
  // The container's list and the mapping's become one (rules: inheritMapping).
  { from: `${LOADER}.build.secrets`, to: 'ModuleImage.spec.build.secrets', kind: moduleImage, lists: 2 },
  { from: `${LOADER}.build.buildArgs`, to: 'ModuleImage.spec.build.buildArgs', kind: moduleImage, lists: 2 },
  { from: `${LOADER}.sign.filesToSign`, to: 'ModuleImage.spec.sign.filesToSign', kind: moduleImage, lists: 2 },
])('whatever $from may hold has room in $to', ({ from, to, kind, lists }) => {
  const room = boundsBelow(kind.definition, to);
  const needed = [...boundsBelow(module.definition, from)].map(
    ([path, bound]) => [path, path === ' maxItems' ? bound * lists : bound] as const,
  );
  expect(needed).not.toEqual([]);
  expect(needed.filter(([path, bound]) => bound > (room.get(path) ?? 0))).toEqual([]);
});
