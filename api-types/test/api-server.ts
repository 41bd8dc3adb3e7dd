import { request } from 'node:https';
import type { ControlPlane } from '@kmm-hub/lab';
import type { KubeObject, Resource } from '../src/kube-object.ts';
import { apiVersionOf } from '../src/kube-object.ts';

export type Answer = {
  status: number;
  body: KubeObject & Record<string, unknown> & { message?: string; details?: { causes?: Cause[] } };
};
export type Cause = { field?: string; message?: string };

export type Call = {
  /** PATCH is a server-side apply. */
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET';
  resource: Resource;
  object: KubeObject;
  subresource?: 'status';
  /** User to speak for; the member of system:masters otherwise. */
  as?: string;
  /** Looks and says what would be, default true. */
  dryRun?: boolean;
};

/** Sends one object to an API server; fields that the schema does not know are an error. */
export type ApiServer = (call: Call) => Promise<Answer>;

export async function apiServerOf(plane: ControlPlane): Promise<ApiServer> {
  const { certPem, keyPem } = await plane.issueClientCertificate({
    commonName: 'table',
    organizations: ['system:masters'],
  });
  return ({ method, resource, object, subresource, as, dryRun = true }) => {
    const isApply = method === 'PATCH';
    const query = `fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}${isApply ? '&fieldManager=table' : ''}`;
    const { namespace } = object.metadata;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const place = { namespace, name: method === 'POST' ? undefined : object.metadata.name, subresource };
    const sent = request(
      `${plane.url}${pathOf(resource, place)}?${query}`,
      {
        method,
        ca: plane.caPem,
        cert: certPem,
        key: keyPem,
        headers: {
          'content-type': isApply ? 'application/apply-patch+yaml' : 'application/json', // JSON is YAML
          ...(as !== undefined && { 'impersonate-user': as }),
        },
        timeout: 120_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(String(Buffer.concat(chunks))) }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer within 120 s')));
    sent.on('error', reject);
    sent.end(
      method === 'GET' || method === 'DELETE'
        ? undefined
        : JSON.stringify({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }),
    );
    return promise;
  };
}

function pathOf(
  resource: Resource,
  {
    namespace,
    name,
    subresource,
  }: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined },
) {
  const root = resource.group === '' ? '/api' : '/apis';
  const parts = [root, apiVersionOf(resource), ...(namespace === undefined ? [] : ['namespaces', namespace])];
  return [...parts, resource.plural, ...[name, subresource].filter((part) => part !== undefined)].join('/');
}
