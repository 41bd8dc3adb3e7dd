import type { JsonSchema } from './core-schema/extract.ts';
import { type CrdDefinition, type PrinterColumn, versionsOf } from './crd.ts';
import { kindSchema } from './crd-manifest.ts';
import type { Rule } from './schema.ts';

/** One line of a table: `path` as in `spec.images[].image`, `{}` for the values of a map. */
export type Field = { path: string; required: boolean; schema: JsonSchema };

const INTRO = `<!-- Generated from api-types by \`npm run generate\`. -->
# API reference

Every kind, every field. **Bold** fields are required where the object that holds them is present. A bound is a number of
characters for strings, of entries for lists and maps. Fields of a type such as [Volume](#volume) are Kubernetes' own; the API
server's schema is in the CRDs and, in short, at the end of this page.
`;

/** docs/api.md: `kinds` by the heading they stand under; `core` as core-schema/core-v1.json holds it. */
export function apiReference(
  kinds: ReadonlyMap<string, readonly CrdDefinition[]>,
  core: Readonly<Record<string, JsonSchema>>,
): string {
  const parts = [INTRO];
  for (const [heading, definitions] of kinds) parts.push(`## ${heading}\n`, ...definitions.map(kindSection));
  parts.push('## Core types\n', ...Object.entries(core).map(([name, schema]) => coreSection(name, schema)));
  return parts.join('\n');
}

function kindSection(definition: CrdDefinition): string {
  const { group, version, kind, plural, shortNames = [], scope, description, columns = [] } = definition;
  const [, ...others] = versionsOf(definition);
  const schema = kindSchema(definition);
  const names = [plural, ...shortNames].map(code).join(', ');
  return [
    `### ${kind}\n`,
    `${description}\n`,
    `\`${group}/${version}\` · ${scope} · ${names} · columns ${columns.map((column: PrinterColumn) => column.name).join(', ')}\n`,
    ...others.map((other) => otherVersion(definition, other)),
    table(fieldsOfKind(definition)),
    rulesList(schema),
  ].join('\n');
}

function fieldsOfKind(definition: CrdDefinition): Field[] {
  const schema = kindSchema(definition);
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...properties } = schema.properties ?? {};
  return fieldsOf({ ...schema, properties });
}

/** What is different in a version that is served beside the stored one. */
function otherVersion(stored: CrdDefinition, other: CrdDefinition): string {
  const theirs = new Map(fieldsOfKind(other).map((field) => [field.path, field]));
  const ours = fieldsOfKind(stored);
  const absent = ours.filter(({ path }) => !theirs.has(path)).map(({ path }) => path);
  const required = ours.filter(({ path, required }) => !required && theirs.get(path)?.required).map(({ path }) => path);
  const differences = [
    ...(absent.length > 0 ? [`without ${absent.map(code).join(', ')}`] : []),
    ...(required.length > 0 ? [`with ${required.map(code).join(', ')} required`] : []),
  ];
  return `Served as \`${other.group}/${other.version}\` too, ${differences.join(' and ') || 'with the same fields'}.\n`;
}

function coreSection(name: string, schema: JsonSchema): string {
  return [`### ${name}\n`, `${schema.description ?? 'A core/v1 type.'}\n`, table(fieldsOf(schema))].join('\n');
}

/** Every field below `schema`, in the order of the schema, parents first. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    return [{ path, required, schema: field }, ...fieldsOf(...innermost(field, path))];
  });
}

/** The schema of what lists and maps hold, and its path. */
function innermost(schema: JsonSchema, path: string): [JsonSchema, string] {
  if (schema.items) return innermost(schema.items, `${path}[]`);
  if (schema.additionalProperties) return innermost(schema.additionalProperties, `${path}{}`);
  return [schema, path];
}

function table(fields: readonly Field[]): string {
  if (fields.length === 0) return '';
  const rows = fields.map(({ path, required, schema }) => {
    const name = required ? `**${code(path)}**` : code(path);
    return `| ${[name, typeOf(schema), limitsOf(schema), schema.description ?? ''].map(escaped).join(' | ')} |`;
  });
  return ['| Field | Type | Default and bounds | What it is |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-core-type']) return `[${schema['x-core-type']}](#${schema['x-core-type'].toLowerCase()})`;
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map to ${typeOf(schema.additionalProperties)}`;
  if (schema['x-kubernetes-int-or-string']) return 'integer or string';
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'object, any fields';
  return schema.format === undefined ? (schema.type ?? 'any') : `${schema.type} (${schema.format})`;
}

/** Keyword → how it is told. */
const LIMITS: Record<string, (value: never) => string> = {
  default: (value: unknown) => `default ${code(JSON.stringify(value))}`,
  enum: (values: string[]) => values.map((value) => code(value === '' ? '""' : value)).join(' '),
  minimum: (value: number) => `≥ ${value}`,
  maximum: (value: number) => `≤ ${value}`,
  minLength: (value: number) => `≥ ${value} long`,
  maxLength: (value: number) => `≤ ${value} long`,
  minItems: (value: number) => `≥ ${value} entries`,
  maxItems: (value: number) => `≤ ${value} entries`,
  maxProperties: (value: number) => `≤ ${value} entries`,
  pattern: (value: string) => code(value),
  'x-kubernetes-list-map-keys': (keys: string[]) => `one entry for each ${keys.join(', ')}`,
};

function limitsOf(schema: JsonSchema): string {
  const told = Object.entries(LIMITS).flatMap(([keyword, tell]) =>
    schema[keyword] === undefined ? [] : [tell(schema[keyword] as never)],
  );
  const inner = schema.items ?? schema.additionalProperties;
  const each = inner === undefined ? '' : limitsOf(inner);
  return [...told, ...(each === '' ? [] : [`each ${each}`])].join(', ');
}

/** What the API server refuses beyond types and bounds, field by field. */
function rulesList(schema: JsonSchema): string {
  const found = [...rulesOf(schema, '')].map(
    ({ path, rule }) => `- ${path === '' ? '' : `${code(path)}: `}${rule.message}`,
  );
  return found.length === 0 ? '' : `Refused, in the words of the API server:\n\n${found.join('\n')}\n`;
}

function* rulesOf(schema: JsonSchema, path: string): Generator<{ path: string; rule: Rule }> {
  for (const rule of (schema['x-kubernetes-validations'] as Rule[] | undefined) ?? []) yield { path, rule };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield* rulesOf(field, path === '' ? name : `${path}.${name}`);
  }
  if (schema.items) yield* rulesOf(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* rulesOf(schema.additionalProperties, `${path}{}`);
}

const code = (text: string) => `\`${text}\``;
/** A table's cell ends at a bar, even in code; `<kernel>` outside code would be HTML. */
const escaped = (text: string) =>
  text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll(/<(?=[^`]*(?:`[^`]*`[^`]*)*$)/g, '\\<');
