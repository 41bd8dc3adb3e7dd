import type { KubeObject, Resource } from '@kmm-hub/api-types';
import {
  ApiError,
  ForbiddenError,
  type KubeClient,
  type ListOptions,
  NotFoundError,
  type ObjectRef,
} from '@kmm-hub/kube';
import { NoRightError, NotSignedInError } from './errors.ts';

/** What reading an object came to; who may not read it gets to know which right is missing. */
export type Reading<T> = { kind: 'found'; value: T } | { kind: 'absent' } | { kind: 'forbidden'; right: string };

export const absent = { kind: 'absent' } as const;

export function found<T>(value: T): Reading<T> {
  return { kind: 'found', value };
}

export function foundIn<T>(reading: Reading<T>): T | undefined {
  return reading.kind === 'found' ? reading.value : undefined;
}

type Reader = Pick<KubeClient, 'get' | 'pages'>;

/** One object. @throws NotSignedInError, and what else keeps the API server from answering */
export async function readObject<T extends KubeObject>(
  client: Reader,
  { resource, ref }: { resource: Resource<T>; ref: ObjectRef },
  signal: AbortSignal,
): Promise<Reading<T>> {
  return reading({ verb: 'get', resource, ...ref }, () => client.get(resource, ref, signal));
}

/** A list, of which only what `keep` answers with is held: a fleet has many objects, and a person looks at few fields. */
export async function readList<T extends KubeObject, K>(
  client: Reader,
  { resource, select, keep }: { resource: Resource<T>; select?: ListOptions; keep: (object: T) => K },
  signal: AbortSignal,
): Promise<Reading<K[]>> {
  return reading({ verb: 'list', resource, ...(select?.namespace && { namespace: select.namespace }) }, async () => {
    const kept: K[] = [];
    for await (const { items } of client.pages(resource, select ?? {}, signal)) kept.push(...items.map(keep));
    return kept;
  });
}

/** What cannot be done without. @throws NoRightError when it may not be read, NotFoundError as it came. */
export function required<T>(reading: Reading<T>): T | undefined {
  if (reading.kind === 'forbidden') throw new NoRightError(reading.right);
  return foundIn(reading);
}

type Wish = { verb: string; resource: Resource; namespace?: string };

async function reading<T>(wish: Wish, read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return found(await read());
  } catch (err) {
    if (err instanceof NotFoundError) return absent;
    if (err instanceof ForbiddenError && err.status === 403) return { kind: 'forbidden', right: rightOf(wish) };
    if (err instanceof ApiError && err.status === 401) {
      throw new NotSignedInError(err.message, { cause: err });
    }
    throw err;
  }
}

/** e.g. "get moduleimages.hub.kmm.sigs.x-k8s.io" or "get manifestworks.work.open-cluster-management.io in namespace c1". */
function rightOf({ verb, resource: { plural, group, namespaced }, namespace }: Wish): string {
  const where = namespaced ? ` in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}` : '';
  return `${verb} ${plural}${group === '' ? '' : `.${group}`}${where}`;
}
