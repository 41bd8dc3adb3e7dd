import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { JsonSchema } from '../src/core-schema/extract.ts';
import { versionsOf } from '../src/crd.ts';
import { kindSchema } from '../src/crd-manifest.ts';
import { crds } from '../src/crds.ts';
import type { KubeObject, Resource } from '../src/kube-object.ts';
import { apiVersionOf } from '../src/kube-object.ts';

/** An object with every field that its owner's CRD knows, and where it is served. */
export type WholeObject = { resource: Resource; object: KubeObject & Record<string, unknown> };

const served = Object.values(crds)
  .flat()
  .flatMap((crd) => versionsOf(crd.definition).map(({ version }) => ({ ...crd, version })));

const written: WholeObject['object'][] = readdirSync(new URL('./whole/', import.meta.url)).flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(`./whole/${file}`, import.meta.url), 'utf8')).map((document) =>
    document.toJS(),
  ),
);

/** The objects of test/whole, written by hand from the references of KMM, NFD and OCM. */
export const wholeObjects: WholeObject[] = written.flatMap(carrying).map((object) => {
  const resource = served.find((crd) => crd.kind === object.kind && apiVersionOf(crd) === object.apiVersion);
  if (resource === undefined) throw new RangeError(`no schema of ${object.apiVersion} ${object.kind}`);
  return { resource, object };
});

/** A ManagedClusterModule once for each Module, whose spec it carries; any other object as it is. */
function carrying(object: WholeObject['object']): WholeObject['object'][] {
  if (object.kind !== 'ManagedClusterModule') return [object];
  return written
    .filter(({ kind }) => kind === 'Module')
    .map(({ metadata: { name }, spec: moduleSpec }) => ({
      ...object,
      ...{ metadata: { ...object.metadata, name }, spec: { ...(object.spec as object), moduleSpec } },
    }));
}

/** Fields of the kind's stored version that none of the objects has, as `spec.images[].image`. */
export function fieldsLeftOut({ kind, group }: Resource): string[] {
  const objects = wholeObjects.filter(({ resource }) => resource.kind === kind && resource.group === group);
  const crd = served.find((each) => each.kind === kind && each.group === group);
  return crd === undefined
    ? []
    : leftOut(
        kindSchema(crd.definition),
        objects.map(({ object }) => object),
        '',
      );
}

function leftOut(schema: JsonSchema, values: readonly unknown[], path: string): string[] {
  const inner = (part: JsonSchema, of: (value: never) => unknown[], name: string) =>
    leftOut(
      part,
      values.filter((value) => value !== null).flatMap((value) => of(value as never)),
      `${path}${name}`,
    );
  return [
    ...(values.length === 0 ? [path] : []),
    ...Object.entries(schema['x-core-type'] ? {} : (schema.properties ?? {})).flatMap(([field, part]) => {
      const of = (value: Record<string, unknown>) => (value[field] === undefined ? [] : [value[field]]);
      return inner(part, of, path === '' ? field : `.${field}`);
    }),
    ...(schema.items ? inner(schema.items, (value: unknown[]) => value, '[]') : []),
    ...(schema.additionalProperties ? inner(schema.additionalProperties, (value) => Object.values(value), '{}') : []),
  ];
}
