import { type Static, type TObject, type TProperties, Type } from 'typebox';
import type { KubeObject, Resource } from './kube-object.ts';
import type { Rule } from './schema.ts';

/** One column of `kubectl get`. */
export type PrinterColumn = {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  jsonPath: string;
  description?: string;
  /** 0 shows it always, 1 with `-o wide`. */
  priority?: 0 | 1;
};

export type CrdDefinition<P extends TProperties> = {
  group: string;
  version: string;
  kind: string;
  plural: string;
  shortNames?: string[];
  scope: 'Cluster' | 'Namespaced';
  /** One sentence for `kubectl explain`. */
  description: string;
  /** The fields at the top level beside apiVersion, kind and metadata: most often `spec` and `status`. */
  properties: TObject<P>;
  columns?: PrinterColumn[];
  /** CEL rules on the whole object. */
  rules?: Rule[];
  /** Annotations of the CRD itself. */
  annotations?: Record<string, string>;
};

/** A kind: where it is served, and the CustomResourceDefinition manifest that `npm run generate` writes to deploy/crds. */
export type Crd<T extends KubeObject> = Resource<T> & { readonly manifest: Record<string, unknown> };

/** Turns one TypeBox schema into the kind's resource, its type and its CRD. */
export function defineCrd<P extends TProperties>(definition: CrdDefinition<P>): Crd<KubeObject & Static<TObject<P>>> {
  const { group, version, kind, plural, scope } = definition;
  return { group, version, kind, plural, namespaced: scope === 'Namespaced', manifest: manifestOf(definition) };
}

function manifestOf<P extends TProperties>(definition: CrdDefinition<P>): Record<string, unknown> {
  const { group, version, kind, plural, shortNames, scope, description, properties, columns, annotations } = definition;
  const hasStatus = 'status' in properties.properties;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...(annotations && { annotations }) },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...(shortNames && { shortNames }) },
      scope,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          ...(columns && { additionalPrinterColumns: columns }),
          ...(hasStatus && { subresources: { status: {} } }),
          schema: { openAPIV3Schema: openApiSchema(properties, description, definition.rules) },
        },
      ],
    },
  };
}

function openApiSchema<P extends TProperties>(properties: TObject<P>, description: string, rules?: Rule[]): unknown {
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
