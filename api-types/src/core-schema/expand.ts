import { UsageError } from '../errors.ts';
import type { JsonSchema } from './extract.ts';

/**
 * Bounds where the API server has none and a CEL rule reads the field: without one its cost has no limit and the CRD is
 * refused. Of every type: field → keywords.
 */
const BOUNDS: Record<string, Record<string, JsonSchema>> = {
  HostPathVolumeSource: { path: { maxLength: 4096 } }, // PATH_MAX
};

/**
 * A copy of `schema` with each `x-core-type` replaced by the schema of that type; keywords beside it, such as a description
 * or rules, win over the type's own. CRDs know no `$ref`, so a type is written out wherever it is used.
 */
export function expandCoreTypes(schema: JsonSchema, core: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { 'x-core-type': name, ...own } = schema;
  const { properties, items, additionalProperties, ...rest } =
    name === undefined ? own : { ...typeOf(name, core), ...own };
  const inner = (part: JsonSchema) => expandCoreTypes(part, core);
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([field, part]) => [field, inner(part)])),
    }),
    ...(items && { items: inner(items) }),
    ...(additionalProperties && { additionalProperties: inner(additionalProperties) }),
  };
}

function typeOf(name: string, core: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const type = core[name];
  if (type === undefined)
    throw new UsageError(`core type ${name} is not extracted`, 'Add it to CORE_ROOTS and refresh.');
  const properties = { ...type.properties };
  for (const [field, bound] of Object.entries(BOUNDS[name] ?? {}))
    properties[field] = { ...properties[field], ...bound };
  return { ...type, properties };
}
