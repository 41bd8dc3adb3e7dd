import type { Static, TObject, TProperties } from 'typebox';
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

export type CrdDefinition<P extends TProperties = TProperties> = {
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
  /** Served beside `version`, which is the stored one. */
  otherVersions?: OtherVersion[];
};

/**
 * A version without a schema or columns of its own has those of the stored one. Nothing converts between them, so their fields
 * must be the same by name and type; who writes through a version that lacks a field takes it from the object.
 */
export type OtherVersion = { version: string; properties?: TObject; columns?: PrinterColumn[] };

/** A kind: where it is served, and what its CRD is written from. */
export type Crd<T extends KubeObject> = Resource<T> & { readonly definition: CrdDefinition };

/** Turns one TypeBox schema into the kind's resource, its type and, by `npm run generate`, its CRD. */
export function defineCrd<P extends TProperties>(definition: CrdDefinition<P>): Crd<KubeObject & Static<TObject<P>>> {
  const { group, version, kind, plural, scope } = definition;
  return { group, version, kind, plural, namespaced: scope === 'Namespaced', definition };
}

/** The kind once for each version that is served, the stored one first. */
export function versionsOf({ otherVersions = [], ...stored }: CrdDefinition): CrdDefinition[] {
  return [stored, ...otherVersions.map((other) => ({ ...stored, ...other }))];
}
