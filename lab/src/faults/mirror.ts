import { type ConfigMap, configMap } from '@kmm-hub/api-types';
import { type Cache, Controller, createLogger, type KubeClient } from '@kmm-hub/kube';

const PREFIX = 'copy-';

/**
 * Keeps a copy of every ConfigMap of a namespace, `copy-a` of `a`. It writes as our controllers do: decided from the cache,
 * created by POST, updated with the resource version, deleted with the uid; every error is tried again.
 */
export function mirrorController({ client, cache }: { client: KubeClient; cache: Cache<ConfigMap> }): Controller {
  const controller = new Controller({
    name: 'mirror',
    log: createLogger({ process: 'campaign', level: 'silent', pretty: false }),
    reconcile: async (key, signal) => {
      const { source, copy } = pairOf(cache, key);
      if (source === undefined && copy !== undefined) await client.delete(configMap, withUid(copy), signal);
      if (source !== undefined && copy === undefined) await client.create(configMap, copyOf(source), signal);
      if (source !== undefined && copy !== undefined && !isCopy(source, copy)) {
        await client.replace(configMap, { object: { ...copy, data: source.data ?? {} } }, signal);
      }
      return undefined;
    },
  });
  cache.onChange(({ key }) => controller.queue.add(key.replace(`/${PREFIX}`, '/')));
  return controller;
}

/** The copies that are not as they should be: missing, left over or different; by the name of their source. */
export function wrongCopies(objects: readonly ConfigMap[]): string[] {
  const byName = new Map(objects.map((object) => [object.metadata.name, object]));
  const sources = new Set([...byName.keys()].map((name) => name.replace(new RegExp(`^${PREFIX}`), '')));
  return [...sources].filter((name) => {
    const [source, copy] = [byName.get(name), byName.get(`${PREFIX}${name}`)];
    return source === undefined || copy === undefined || !isCopy(source, copy);
  });
}

function pairOf(cache: Cache<ConfigMap>, key: string) {
  return { source: cache.get(key), copy: cache.get(key.replace('/', `/${PREFIX}`)) };
}

function copyOf({ metadata: { name, namespace }, data = {} }: ConfigMap): ConfigMap {
  return { metadata: { name: `${PREFIX}${name}`, ...(namespace && { namespace }) }, data };
}

function isCopy(source: ConfigMap, copy: ConfigMap): boolean {
  return JSON.stringify(source.data ?? {}) === JSON.stringify(copy.data ?? {});
}

function withUid({ metadata: { name, namespace, uid } }: ConfigMap) {
  return { name, ...(namespace && { namespace }), ...(uid && { uid }) };
}
