import { UsageError } from '../errors.ts';

/** A JSON schema, as far as this room reads it. */
export type JsonSchema = {
  type?: string;
  description?: string;
  format?: string;
  default?: unknown;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  /** One of Kubernetes' core types, by its short name; expand.ts puts its schema in this place. */
  'x-core-type'?: string;
  [keyword: string]: unknown;
};

/** What `/openapi/v3/api/v1` of an API server answers, as far as it is read here. */
export type OpenApiDocument = { components: { schemas: Record<string, OpenApiSchema> } };
type OpenApiSchema = Pick<JsonSchema, 'description' | 'default'> & {
  [keyword: string]: unknown;
  $ref?: string;
  allOf?: { $ref: string }[];
  properties?: Record<string, OpenApiSchema>;
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
};

/** Kept as they are. `enum` is not: a newer cluster may know a value that the one the schema came from did not. */
const KEPT = [
  'type',
  'format',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
];

const QUANTITY =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

/** Types that a structural schema writes in its own way. */
const SPECIAL: Record<string, JsonSchema> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { 'x-kubernetes-int-or-string': true, pattern: QUANTITY },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { type: 'string', format: 'date-time' },
  // Labels and annotations of a claim template: controller-gen's schema would prune them.
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

const PREFIX = '#/components/schemas/';

/**
 * The core types `roots` (such as "Volume") and all they refer to, by short name, as structural schemas: no `$ref`, no `oneOf`,
 * no enum, first sentences of descriptions. A field of another core type says so in `x-core-type`.
 * `document` is what `/openapi/v3/api/v1` answers.
 */
export function extractCoreSchemas(document: OpenApiDocument, roots: readonly string[]): Record<string, JsonSchema> {
  const found = new Map<string, JsonSchema>();
  const waiting = roots.map((name) => `io.k8s.api.core.v1.${name}`);
  for (let full = waiting.pop(); full !== undefined; full = waiting.pop()) {
    const source = document.components.schemas[full];
    if (source === undefined)
      throw new UsageError(`the API server has no schema ${full}`, 'Take the schemas from a newer API server.');
    if (found.has(shortName(full))) continue;
    found.set(
      shortName(full),
      structural(source, (name) => void waiting.push(name)),
    );
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One OpenAPI schema as a structural one; `refer` hears of every core type it needs. */
function structural(source: OpenApiSchema, refer: (fullName: string) => void): JsonSchema {
  const { $ref = source.allOf?.[0]?.$ref, description, properties, items, additionalProperties } = source;
  const said = description === undefined ? {} : { description: firstSentence(description) };
  if ($ref !== undefined) return { ...said, ...referred($ref.slice(PREFIX.length), refer) };
  const inner = (schema: OpenApiSchema) => structural(schema, refer);
  const kept = Object.fromEntries(KEPT.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
  return {
    ...said,
    ...kept,
    ...(isRealDefault(source.default) && { default: source.default }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, inner(field)])),
    }),
    ...(items && { items: inner(items) }),
    ...(additionalProperties && { additionalProperties: inner(additionalProperties) }),
  };
}

function referred(fullName: string, refer: (fullName: string) => void): JsonSchema {
  const special = SPECIAL[fullName];
  if (special !== undefined) return special;
  refer(fullName);
  return { 'x-core-type': shortName(fullName) };
}

/** OpenAPI writes Go's zero value as the default of each required field; in a CRD it would fill in what must be refused. */
function isRealDefault(value: unknown): boolean {
  return Boolean(value) && typeof value !== 'object';
}

const shortName = (fullName: string) => fullName.slice(fullName.lastIndexOf('.') + 1);

function firstSentence(text: string): string {
  const [first = ''] = text.split(/(?<=[.!?])(?<!\b(?:e\.g|i\.e)\.)\s+(?=[A-Z])|\n/, 1);
  return first;
}
