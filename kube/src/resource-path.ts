import { apiVersionOf, type Resource } from '@kmm-hub/api-types';

/** Kubernetes API concepts, "Resource URIs". An empty name is the collection; namespaces of cluster-scoped kinds are ignored. */
export function pathOf(
  resource: Resource,
  { namespace = '', name = '' }: { namespace?: string; name?: string },
  subresource = '',
): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const within = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === '' ? '' : `/${encodeURIComponent(name)}`;
  return `${base}${within}/${resource.plural}${object}${subresource === '' ? '' : `/${subresource}`}`;
}

/** "?a=b&c=d" without what is undefined or empty; '' when nothing is left. */
export function queryOf(parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given))}`;
}
