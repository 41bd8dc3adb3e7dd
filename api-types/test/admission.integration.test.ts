import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { applyFolder, type ControlPlane, checkout, runFolder, startControlPlane, waitFor } from '@kmm-hub/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespace } from '../src/core.ts';
import { CORE_ROOTS } from '../src/core-schema/core-type.ts';
import { extractCoreSchemas, type JsonSchema } from '../src/core-schema/extract.ts';
import { kindSchema } from '../src/crd-manifest.ts';
import { crds } from '../src/crds.ts';
import { coreSchemas } from '../src/generated-files.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../src/kube-object.ts';
import { managedClusterModule } from '../src/managed-cluster-module.ts';
import { module } from '../src/module.ts';
import { moduleImage } from '../src/module-image.ts';
import { CONTAINS_MODULES_LABEL } from '../src/names.ts';
import { nodeResourceTopology } from '../src/node-resource-topology.ts';
import { preflightValidation } from '../src/preflight-validation.ts';
import { type Answer, type ApiServer, apiServerOf } from './api-server.ts';
import { loading } from './rule-table.ts';
import { carriers, carrying, ruleTries } from './rule-tries.ts';
import { fieldsLeftOut, wholeObjects } from './whole-objects.ts';

const { signal } = new AbortController(); // vitest's own limits end what hangs
let folder: string;
let plane: ControlPlane;
let api: ApiServer;
beforeAll(async () => {
  folder = await runFolder('test-admission');
  plane = await startControlPlane({ name: 'admission', folder, signal });
  await applyFolder(plane, join(checkout, 'deploy/crds'));
  await applyFolder(plane, [
    join(checkout, 'deploy/admission/spoke/modules.yaml'),
    ...['hub', 'spoke'].map((side) => join(checkout, `deploy/rbac/module-editors.${side}.yaml`)),
  ]);
  api = await apiServerOf(plane);
});
afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

const create = (resource: Resource, spec: object, metadata: { name?: string } = {}) => {
  const place = resource.namespaced ? { namespace: 'default' } : {};
  return api({ method: 'POST', resource, object: { metadata: { name: 'kmod', ...place, ...metadata }, ...{ spec } } });
};
/** What the API server complains of: field and words. */
const complaints = ({ status, body }: Answer) => ({
  status,
  causes: body.details?.causes?.map(({ field, message }) => ({ field, message })),
});

test('every CRD is served: its schema is structural and its rules are within the cost limit', async () => {
  const list = JSON.parse(await plane.kubectl(['get', 'crds', '--output=json']));
  const conditions = new Map<string, Record<string, string>>(
    list.items.map(
      (crd: { metadata: { name: string }; status: { conditions: { type: string; status: string }[] } }) => [
        crd.metadata.name,
        Object.fromEntries(crd.status.conditions.map(({ type, status }) => [type, status])),
      ],
    ),
  );
  const names = Object.values(crds).flatMap((all) => all.map(({ plural, group }) => `${plural}.${group}`));
  expect([...conditions.keys()].sort()).toEqual(names.sort());
  for (const [name, of] of conditions)
    expect({ name, ...of }).toMatchObject({ Established: 'True', NamesAccepted: 'True' });
  expect([...conditions.values()].filter((of) => of.NonStructuralSchema === 'True')).toEqual([]);
});

test('the committed core types are what the API server says (npm run refresh:core-v1)', async () => {
  const document = JSON.parse(await plane.kubectl(['get', '--raw=/openapi/v3/api/v1']));
  expect(coreSchemas()).toEqual(extractCoreSchemas(document, CORE_ROOTS));
});

test.each(ruleTries)('%#: a $resource.kind is refused at $field: $message', async (row) => {
  const { resource, stored, good, bad, besides = [] } = row;
  let write = (object: KubeObject) => api({ method: 'POST', resource, object });
  if (stored !== undefined) {
    const { metadata } = (await api({ method: 'PATCH', resource, object: stored, dryRun: false })).body;
    write = (object) => api({ method: 'PUT', resource, object: { ...object, metadata } });
  }
  expect(complaints(await write(good))).toEqual({ status: stored === undefined ? 201 : 200 });
  const causes = [...besides, row].map(({ field, message }) => ({ field, message: expect.stringContaining(message) }));
  expect(complaints(await write(bad))).toEqual({ status: 422, causes });
});

test('every rule of every kind has a row in the table', () => {
  const ruleOf = ({ kind, group }: Resource, message: string) => `${kind}.${group}: ${message}`;
  const tried = new Set(ruleTries.map(({ resource, message }) => ruleOf(resource, message)));
  const all = Object.values(crds)
    .flat()
    .flatMap((crd) => messagesOf(kindSchema(crd.definition)).map((message) => ruleOf(crd, message)));
  expect(all.filter((rule) => !tried.has(rule))).toEqual([]);
});

function messagesOf(schema: JsonSchema): string[] {
  const own = (schema['x-kubernetes-validations'] as { message: string }[] | undefined) ?? [];
  const parts = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  return [
    ...own.map(({ message }) => message),
    ...parts.flatMap((part) => (part === undefined ? [] : messagesOf(part))),
  ];
}

describe('a Module', () => {
  test('gets /opt as dirName when it names none', async () => {
    const { body } = await create(module, loading({}));
    expect(body.spec).toMatchObject({ moduleLoader: { container: { modprobe: { dirName: '/opt' } } } });
  });

  // Upstream's hub serialises what is not set as null, as an empty text or as an empty object, and OCM's agent creates and
  // updates what it sent. A server-side apply, which upstream never asks for, takes null only where a schema says so; neither
  // ours nor theirs does here.
  test("of upstream's hub is taken, and loses nothing but nulls", async () => {
    const ofUpstream = (mappingNulls: object = {}, specNulls: object = {}) => {
      const mapping = { literal: '6.1.0-53-amd64', regexp: '', containerImage: 'r/kmod:1', inTreeModuleToRemove: '' };
      const modprobe = { moduleName: 'kmod', dirName: '/opt' };
      const container = { modprobe, kernelMappings: [{ ...mapping, ...mappingNulls }], registryTLS: {} };
      return {
        spec: { selector: {}, moduleLoader: { container }, ...specNulls },
        status: { devicePlugin: {}, dra: {}, moduleLoader: {} },
      };
    };
    const bare = ofUpstream();
    const sent = ofUpstream({ build: null, registryTLS: null, inTreeModulesToRemove: null }, { devicePlugin: null });
    const metadata = { name: 'of-upstream', namespace: 'default' };
    const created = await api({ method: 'POST', resource: module, object: { ...sent, metadata } });
    const applied = await api({ method: 'PATCH', resource: module, object: { ...bare, metadata }, dryRun: false });
    const stored = applied.body.metadata;
    const updated = await api({ method: 'PUT', resource: module, object: { ...sent, metadata: stored } });
    const answers = [created, applied, updated].map(({ body: { spec, message } }) => spec ?? message);
    expect(answers).toEqual([bare.spec, bare.spec, bare.spec]);
  });

  test('needs a name that, with its namespace, has room in a node label', async () => {
    const named = (length: number) => create(module, loading({}), { name: 'm'.repeat(length - 'default'.length) });
    const policyIsInForce = async () => ((await named(42)).status === 422 ? true : undefined);
    await waitFor({ what: 'the policy on names', check: policyIsInForce, timeoutMs: 120_000, signal });
    expect((await named(42)).body.message).toContain(
      'metadata.name and metadata.namespace have 42 characters together, and node labels built from them have room for 41; shorten one of them',
    );
    expect(complaints(await named(41))).toEqual({ status: 201 });
  });
});

describe.each(carriers)('what a $kind carries', ({ resource, place, specOf }) => {
  // 1.2 MB: etcd stores no more than 1.5 MiB. Rules must neither cost too much at their worst, nor take seconds.
  const mappings = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      regexp: `^6\\.${index}\\.[0-9]+-[0-9]+-(${'cloud-|rt-|'.repeat(9)})?amd64$`,
      containerImage: `registry.example.com/${'team/'.repeat(20)}kmod-${index}:\${KERNEL_FULL_VERSION}`,
      inTreeModulesToRemove: Array.from({ length: 8 }, (_, other) => `in_tree_${other}`),
      build: { dockerfileConfigMap: { name: 'dockerfile' } },
      sign: {
        ...{ keySecret: { name: 'key' }, certSecret: { name: 'cert' } },
        filesToSign: Array.from(
          { length: 12 },
          (_, file) => `/opt/lib/modules/\${KERNEL_FULL_VERSION}/extra/${file}.ko`,
        ),
      },
    }));

  test('may have 1,000 kernel mappings with all that etcd has room for, and not one more', async () => {
    const object = { metadata: { name: 'large', ...(resource.namespaced && { namespace: 'default' }) } };
    const post = (count: number) =>
      api({
        ...{ method: 'POST', resource, dryRun: false },
        object: { ...object, ...{ spec: specOf(loading({ kernelMappings: mappings(count) })) } },
      });
    expect(complaints(await post(1000))).toEqual({ status: 201 });
    expect((await api({ method: 'DELETE', resource, object, dryRun: false })).status).toBe(200);
    const { causes = [] } = complaints(await post(1001));
    expect(causes[0]).toMatchObject({ field: `${place}.moduleLoader.container.kernelMappings` });
  });
});

test('a namespace with Modules in it cannot be deleted', async () => {
  const object = { metadata: { name: 'busy', labels: { [CONTAINS_MODULES_LABEL]: '' } } };
  await api({ method: 'POST', resource: namespace, object, dryRun: false });
  const remove = () => api({ method: 'DELETE', resource: namespace, object });
  const policyIsInForce = async () => ((await remove()).status === 403 ? true : undefined);
  await waitFor({ what: 'the policy on namespaces', check: policyIsInForce, timeoutMs: 120_000, signal });
  expect((await remove()).body.message).toContain(
    'namespace busy still has Modules; delete them first and wait until they are gone',
  );
  const free = { metadata: { name: 'free' } };
  await api({ method: 'POST', resource: namespace, object: free, dryRun: false });
  expect((await api({ method: 'DELETE', resource: namespace, object: free })).status).toBe(200);
});

describe('an object of upstream with every field that it can have', () => {
  test.each(wholeObjects)(
    '$object.apiVersion $object.kind $object.metadata.name keeps all of them',
    async ({ resource, object }) => {
      const { metadata: _metadata, ...written } = object;
      const created = await api({ method: 'POST', resource, object, dryRun: false });
      const { metadata } = created.body;
      expect(complaints(created)).toEqual({ status: 201 });
      const update = { method: 'PUT', resource, object: { ...object, metadata }, dryRun: false } as const;
      const { body } = 'status' in object ? await api({ ...update, subresource: 'status' }) : created;
      expect({ ...body, metadata: undefined }).toEqual({ ...written, metadata: undefined });
    },
  );

  const others = Object.values(crds)
    .flat()
    .filter((crd) => apiVersionOf(crd) !== apiVersionOf(moduleImage)); // its group and version is ours alone

  test.each(others)('leaves no field of the schema of a $kind of $group out', (crd) => {
    const given = ['apiVersion', 'kind', 'metadata'];
    expect(fieldsLeftOut(crd).filter((path) => !given.includes(path))).toEqual([]);
  });
});

describe('a NodeResourceTopology', () => {
  const v1alpha1 = { ...nodeResourceTopology, version: 'v1alpha1' };
  const zones = [{ name: 'node-0', type: 'Node' }];
  const topologyPolicies = ['BestEffort'];

  test('written as v1alpha1 is read as v1alpha2, and the other way round', async () => {
    for (const [from, to] of [
      [v1alpha1, nodeResourceTopology],
      [nodeResourceTopology, v1alpha1],
    ] as const) {
      const object = { metadata: { name: `from-${from.version}` }, ...{ topologyPolicies, zones } };
      expect((await api({ method: 'POST', resource: from, object, dryRun: false })).status).toBe(201);
      const { body } = await api({ method: 'GET', resource: to, object });
      expect(body).toMatchObject({ apiVersion: apiVersionOf(to), topologyPolicies, zones });
    }
  });

  test('needs its policies in v1alpha1 only', async () => {
    const object = { metadata: { name: 'bare' }, zones };
    expect(complaints(await api({ method: 'POST', resource: nodeResourceTopology, object }))).toEqual({ status: 201 });
    const { causes = [] } = complaints(await api({ method: 'POST', resource: v1alpha1, object }));
    expect(causes).toMatchObject([{ field: 'topologyPolicies' }]);
  });
});

describe("upstream's roles, for the groups of their kinds (W16)", () => {
  /** Gives the role to a user of its name, and waits until the API server knows: whoever writes may also read. */
  const bind = async (role: string, resource: Resource) => {
    await plane.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, `--user=${role}`]);
    const metadata = { name: '', ...(resource.namespaced && { namespace: 'default' }) };
    const list = { method: 'GET', resource, object: { metadata }, as: role } as const;
    const mayRead = async () => ((await api(list)).status === 200 ? true : undefined);
    await waitFor({ what: `the role ${role}`, check: mayRead, timeoutMs: 120_000, signal });
  };
  const roles = [
    { role: 'managedclustermodule', resource: managedClusterModule, spec: carrying(loading({})) },
    { role: 'module', resource: module, spec: loading({}) },
    { role: 'preflightvalidation', resource: preflightValidation, spec: { kernelVersion: '6.1.0-53-amd64' } },
  ];
  const objectOf = ({ resource, spec }: (typeof roles)[number], name: string) => ({
    metadata: { name, ...(resource.namespaced && { namespace: 'default' }) },
    spec,
  });

  test.each(roles)('$role-editor-role writes, $role-viewer-role does not', async (row) => {
    const { role, resource } = row;
    const stored = { method: 'PATCH', resource, object: objectOf(row, role), dryRun: false } as const;
    const { metadata } = (await api(stored)).body;
    const triesOf = async (as: string) => {
      await bind(as, resource);
      const change = { resource, object: { ...objectOf(row, role), metadata }, as };
      const created = await api({ method: 'POST', resource, object: objectOf(row, 'new'), as });
      const updated = await api({ method: 'PUT', ...change });
      const deleted = await api({ method: 'DELETE', ...change });
      return [created, updated, deleted].map(({ status }) => status);
    };
    expect(await triesOf(`${role}-editor-role`)).toEqual([201, 200, 200]);
    expect(await triesOf(`${role}-viewer-role`)).toEqual([403, 403, 403]);
  });
});
