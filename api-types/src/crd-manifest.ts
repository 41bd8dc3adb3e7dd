import { Type } from 'typebox';
import { expandCoreTypes } from './core-schema/expand.ts';
import type { JsonSchema } from './core-schema/extract.ts';
import { type CrdDefinition, versionsOf } from './crd.ts';

/**
 * The CustomResourceDefinition of a kind, for deploy/crds. `core` holds the schemas of Kubernetes' core types by short name, as
 * core-schema/core-v1.json does.
 */
export function crdManifest(definition: CrdDefinition, core: Readonly<Record<string, JsonSchema>>) {
  const { group, kind, plural, shortNames, scope, annotations } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...(annotations && { annotations }) },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...(shortNames && { shortNames }) },
      scope,
      versions: versionsOf(definition).map((version, index) => ({
        ...{ name: version.version, served: true, storage: index === 0 },
        ...(version.columns && { additionalPrinterColumns: version.columns }),
        ...('status' in version.properties.properties && { subresources: { status: {} } }),
        schema: { openAPIV3Schema: expandCoreTypes(kindSchema(version), core) },
      })),
    },
  };
}

/** The schema of a whole object of the kind; core types are named, not written out. */
export function kindSchema({ properties, description, rules }: CrdDefinition): JsonSchema {
  const whole = Type.Object({
    apiVersion: Type.Optional(Type.String({ description: 'Group and version of this object.' })),
    kind: Type.Optional(Type.String({ description: 'Kind of this object.' })),
    metadata: Type.Optional(Type.Unsafe({ type: 'object' })),
    ...properties.properties,
  });
  // JSON drops TypeBox's symbol keys and hidden properties; what is left is the structural schema.
  const schema = JSON.parse(JSON.stringify(whole));
  return { description, ...schema, ...(rules && { 'x-kubernetes-validations': rules }) };
}
