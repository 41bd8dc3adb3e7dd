import type { KubeObject, Resource } from '@kmm-hub/api-types';
import type { KubeClient } from './client.ts';
import { NotFoundError } from './errors.ts';

/** meta/v1 APIResourceList, as much of it as we read. */
type ResourceList = { resources: { name: string; kind: string; namespaced: boolean }[] };

/** A kind that is served stays remembered this long: CRDs change rarely, and a wrong memory shows as a 404. */
const MEMORY_MS = 10 * 60_000;

/** Answers where the API server serves a kind. */
export class Discovery {
  readonly #client: Pick<KubeClient, 'raw'>;
  readonly #known = new Map<string, { resource: Resource; until: number }>();

  constructor(client: Pick<KubeClient, 'raw'>) {
    this.#client = client;
  }

  /**
   * `apiVersion` as in an object, e.g. "v1" or "apps/v1". `undefined` when the kind is not served; that is asked again each
   * time, since the CRD may come at any moment.
   */
  async find<T extends KubeObject>(
    { apiVersion, kind }: { apiVersion: string; kind: string },
    signal: AbortSignal,
  ): Promise<Resource<T> | undefined> {
    const key = `${apiVersion}/${kind}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.until > performance.now()) return known.resource as Resource<T>;
    this.#known.delete(key);
    const served = (await this.#list(apiVersion, signal)).find((entry) => entry.kind === kind);
    if (served === undefined) return undefined;
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const resource = { group, version, kind, plural: served.name, namespaced: served.namespaced };
    this.#known.set(key, { resource, until: performance.now() + MEMORY_MS });
    return resource as Resource<T>;
  }

  async #list(apiVersion: string, signal: AbortSignal): Promise<ResourceList['resources']> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    try {
      const { resources } = await this.#client.raw<ResourceList>(path, signal);
      return resources.filter(({ name }) => !name.includes('/')); // "pods/log" is a subresource
    } catch (err) {
      if (err instanceof NotFoundError) return [];
      throw err;
    }
  }
}
