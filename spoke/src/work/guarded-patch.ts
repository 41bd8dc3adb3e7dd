import type { KubeObject, ObjectMeta } from '@kmm-hub/api-types';

/**
 * A merge patch that the API server refuses (ConflictError) when the object is another one by now, or changed since it was
 * read: lists such as finalizers and conditions are written whole, and others write them too.
 */
export function guardedPatch(
  object: KubeObject,
  change: { metadata?: Partial<ObjectMeta>; [field: string]: unknown },
): Record<string, unknown> {
  const { uid, resourceVersion } = object.metadata;
  return { ...change, metadata: { ...change.metadata, uid, resourceVersion } };
}
