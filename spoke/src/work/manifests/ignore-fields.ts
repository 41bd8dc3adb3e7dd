import { createHash } from 'node:crypto';
import { explain, type UpdateStrategy } from '@kmm-hub/api-types';
import { JSONPointer, type JSONValue, jsonpath } from 'json-p3';
import { toStandardPath } from '../feedback/json-path.ts';
import { IgnoreFieldsError } from './errors.ts';
import type { Manifest } from './manifest.ts';

/** On an object that is applied with ignoreFields: the hash of what was sent last (OCM's name). */
export const CONFIG_SPEC_HASH_ANNOTATION = 'open-cluster-management.io/config-spec-hash';

export type IgnoreFields = NonNullable<NonNullable<UpdateStrategy['serverSideApply']>['ignoreFields']>;

/**
 * What is sent of a manifest with ignoreFields. `whole` is for an object that is not there yet, `filtered` for one that is: it
 * lacks the fields of OnSpokePresent. Both carry the hash of `filtered`; an object with the same hash is left alone, which is
 * how the spoke's edits of OnSpokeChange fields outlive every pass until the manifest itself changes.
 * @throws IgnoreFieldsError for a path that cannot be read, and for jq, which this agent does not speak.
 */
export function withoutIgnoredFields(manifest: Manifest, ignoreFields: IgnoreFields) {
  const filtered = structuredClone(manifest);
  for (const fields of ignoreFields.filter(({ condition }) => condition !== 'OnSpokeChange')) {
    removeFields(filtered, fields);
  }
  const hash = hashOf(filtered);
  return { whole: withHash(manifest, hash), filtered: withHash(filtered, hash), hash };
}

function removeFields(manifest: Manifest, fields: IgnoreFields[number]): void {
  const { jsonPaths = [], jsonPointers = [], jqPathExpressions = [] } = fields;
  if (jqPathExpressions.length > 0) {
    throw new IgnoreFieldsError(
      'jqPathExpressions are not supported by this work agent; use jsonPaths or jsonPointers',
    );
  }
  for (const path of jsonPaths) removeByPath(manifest, path);
  for (const pointer of jsonPointers) removeByPointer(manifest, pointer);
}

/** A path that ends at an item of a list removes nothing (OCM): applied without it, the list would lose another one. */
function removeByPath(manifest: Manifest, path: string): void {
  try {
    const { nodes } = jsonpath.query(toStandardPath(path), manifest as JSONValue);
    const fields = nodes.filter(({ location }) => typeof location.at(-1) === 'string');
    for (const field of fields) removeAt(manifest, field.toPointer());
  } catch (err) {
    throw new IgnoreFieldsError(`jsonPath ${path}: ${explain(err)}`, { cause: err });
  }
}

function removeByPointer(manifest: Manifest, pointer: string): void {
  try {
    removeAt(manifest, new JSONPointer(pointer));
  } catch (err) {
    throw new IgnoreFieldsError(`jsonPointer ${pointer}: ${explain(err)}`, { cause: err });
  }
}

/** What is not there is not missed (OCM). */
function removeAt(manifest: Manifest, pointer: JSONPointer): void {
  const name = pointer.tokens.at(-1);
  if (name === undefined) throw new RangeError('it is the whole object');
  if (!pointer.exists(manifest as JSONValue)) return;
  const parent = pointer.parent().resolve(manifest as JSONValue) as unknown[] | Record<string, unknown>;
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
}

function withHash(manifest: Manifest, hash: string): Manifest {
  const annotations = { ...manifest.metadata.annotations, [CONFIG_SPEC_HASH_ANNOTATION]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

/** md5 (32 hex characters) over the manifest with its keys in order: it finds changes and secures nothing. */
function hashOf(manifest: Manifest): string {
  return createHash('md5')
    .update(JSON.stringify(sorted(manifest)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
