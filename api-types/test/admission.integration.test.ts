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
import { apiVersionOf, type Resource } from '../src/kube-object.ts';
import { managedClusterModule } from '../src/managed-cluster-module.ts';
import { managedClusterSetBinding } from '../src/managed-cluster-set.ts';
import { manifestWork } from '../src/manifest-work.ts';
import { module } from '../src/module.ts';
import { CONTAINS_MODULES_LABEL } from '../src/names.ts';
import { nodeResourceTopology } from '../src/node-resource-topology.ts';
import { preflightValidation } from '../src/preflight-validation.ts';
import { type Answer, type ApiServer, apiServerOf } from './api-server.ts';
import { loading, moduleRules } from './rule-table.ts';
import { wholeDraModuleSpec, wholeModuleSpec } from './whole-module.ts';
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

const create = (resource: Resource, spec: unknown, metadata: { name?: string; namespace?: string } = {}) => {
  const place = resource.namespaced ? { namespace: 'default' } : {};
  return api({ method: 'POST', resource, object: { metadata: { name: 'kmod', ...place, ...metadata }, ...{ spec } } });
};
const createModule = (spec: object) => create(module, spec);
const createMcm = (spec: object, metadata = {}) =>
  create(managedClusterModule, { spokeNamespace: 'drivers', selector: {}, ...spec }, metadata);

/** What the API server complains of: field and words. */
const complaints = ({ status, body }: Answer) => ({
  status,
  causes: body.details?.causes?.map(({ field, message }) => ({ field, message })),
});
const refused = (field: string, message: string) => ({
  status: 422,
  causes: [{ field, message: expect.stringContaining(message) }],
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

describe('a Module', () => {
  test.each(moduleRules)('is refused at $field: $message', async ({ field, message, good, bad }) => {
    expect(complaints(await createModule(good))).toEqual({ status: 201 });
    expect(complaints(await createModule(bad))).toEqual(refused(field, message));
  });

  test.each([
    ['with a device plugin', wholeModuleSpec],
    ['with a DRA driver', wholeDraModuleSpec],
  ])('keeps every field that upstream knows, %s', async (_variant, spec) => {
    const { body } = await createModule(spec);
    expect(body.spec ?? body.message).toEqual(spec);
  });

  test('gets /opt as dirName when it names none', async () => {
    const { body } = await createModule(loading({}));
    expect(body.spec).toMatchObject({ moduleLoader: { container: { modprobe: { dirName: '/opt' } } } });
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

/** The two kinds that carry what a module is: where it stands in each. */
const carriers = [
  { kind: 'Module', resource: module, place: 'spec', specOf: (spec: object) => spec },
  {
    kind: 'ManagedClusterModule',
    resource: managedClusterModule,
    place: 'spec.moduleSpec',
    specOf: (moduleSpec: object) => ({ spokeNamespace: 'drivers', selector: {}, moduleSpec }),
  },
];

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

  test.each([
    ['added', {}, { version: '1' }],
    ['removed', { version: '1' }, {}],
    ['emptied', { version: '1' }, { version: '' }],
  ])('is refused when version is %s later', async (change, before, after) => {
    const metadata = { name: `version-${change}`, ...(resource.namespaced && { namespace: 'default' }) };
    const stored = { resource, dryRun: false, object: { metadata, spec: specOf(loading(before)) } };
    const { body } = await api({ method: 'POST', ...stored });
    const update = (container: object) =>
      api({ method: 'PUT', resource, object: { metadata: body.metadata, ...{ spec: specOf(loading(container)) } } });
    expect(complaints(await update(after))).toEqual(
      refused(`${place}.moduleLoader.container`, 'version can neither be added nor removed later; delete the object'),
    );
    expect(complaints(await update({ ...before, imagePullPolicy: 'Always' }))).toEqual({ status: 200 });
  });
});

describe('a ManagedClusterModule', () => {
  test.each(moduleRules)('is refused in moduleSpec as a Module is: $field $message', async (row) => {
    expect(complaints(await createMcm({ moduleSpec: row.good }))).toEqual({ status: 201 });
    const field = row.field.replace(/^spec/, 'spec.moduleSpec');
    expect(complaints(await createMcm({ moduleSpec: row.bad }))).toEqual(refused(field, row.message));
  });

  test('keeps every field that upstream knows', async () => {
    const { body } = await createMcm({ moduleSpec: wholeModuleSpec });
    expect(body.spec).toMatchObject({ spokeNamespace: 'drivers', selector: {}, moduleSpec: wholeModuleSpec });
  });

  const moduleSpec = loading({});
  const selecting = (expression: object) => ({
    moduleSpec,
    clusterSelector: { matchExpressions: [{ key: 'region', ...expression }] },
  });
  const EXPRESSION = 'spec.clusterSelector.matchExpressions[0]';
  test.each([
    {
      message:
        'no clusters are selected; set selector ({} selects all), clusterSelector, placementRefs or featureSelector',
      field: 'spec',
      good: { moduleSpec, selector: undefined, placementRefs: [{ namespace: 'default', name: 'gpu' }] },
      bad: { moduleSpec, selector: undefined },
    },
    {
      message: 'moduleSpec is missing; say there what the spokes are to load',
      field: 'spec',
      good: { moduleSpec: { selector: {} } },
      bad: {},
    },
    {
      message: 'maxUnavailable must be a number from 1 or a percentage from 1% to 100%; correct it',
      field: 'spec.nodeRollout.maxUnavailable',
      good: { moduleSpec, nodeRollout: { maxUnavailable: '10%' } },
      bad: { moduleSpec, nodeRollout: { maxUnavailable: 0 } },
    },
    {
      message:
        'spokeNamespace must be the name of a namespace: lower-case letters, digits and - between them; correct it',
      field: 'spec.spokeNamespace',
      good: { moduleSpec, spokeNamespace: 'drivers-2' },
      bad: { moduleSpec, spokeNamespace: 'Drivers' },
    },
    {
      message: 'values are missing; operators In and NotIn need at least one',
      field: EXPRESSION,
      good: selecting({ operator: 'In', values: ['eu'] }),
      bad: selecting({ operator: 'NotIn' }),
    },
    {
      message: 'values must be empty with operators Exists and DoesNotExist; remove them, or use In or NotIn',
      field: EXPRESSION,
      good: selecting({ operator: 'Exists' }),
      bad: selecting({ operator: 'DoesNotExist', values: ['eu'] }),
    },
  ])('is refused at $field: $message', async ({ field, message, good, bad }) => {
    expect(complaints(await createMcm(good))).toEqual({ status: 201 });
    expect(complaints(await createMcm(bad))).toEqual(refused(field, message));
  });

  test('needs a name that each spoke will take (W8)', async () => {
    const named = (length: number) => createMcm({ moduleSpec }, { name: 'm'.repeat(length - 'drivers'.length) });
    expect(complaints(await named(41))).toEqual({ status: 201 });
    expect(complaints(await named(42))).toEqual(
      refused(
        'spec.spokeNamespace',
        'the name and spec.spokeNamespace have more than 41 characters together; shorten one of them',
      ),
    );
  });
});

describe('other kinds', () => {
  test('a PreflightValidation needs a whole kernel version', async () => {
    const asking = (kernelVersion: string) => create(preflightValidation, { kernelVersion });
    expect(complaints(await asking('5.14-427'))).toEqual({ status: 201 });
    expect(complaints(await asking('5.14'))).toEqual(
      refused('spec.kernelVersion', 'kernelVersion needs at least three parts, as in 5.14.0-427.el9.x86_64'),
    );
  });

  test('a ManifestWork names the condition that its CEL expressions set', async () => {
    const judging = (condition: string) => ({
      manifestConfigs: [
        {
          resourceIdentifier: { resource: 'configmaps', name: 'a' },
          conditionRules: [{ condition, type: 'CEL', celExpressions: ['true'] }],
        },
      ],
    });
    expect(complaints(await create(manifestWork, judging('Complete')))).toEqual({ status: 201 });
    expect(complaints(await create(manifestWork, judging('')))).toEqual(
      refused('spec.manifestConfigs[0].conditionRules[0]', 'condition is empty; name the condition'),
    );
  });

  test('a ManagedClusterSetBinding has the name of its set, for ever', async () => {
    const metadata = { name: 'fleet', namespace: 'default' };
    const binding = { resource: managedClusterSetBinding, object: { metadata, spec: { clusterSet: 'fleet' } } };
    expect(complaints(await create(managedClusterSetBinding, { clusterSet: 'fleet' }, { name: 'other' }))).toEqual(
      refused('spec.clusterSet', 'metadata.name must be spec.clusterSet; rename the binding'),
    );
    const { status, body } = await api({ method: 'POST', dryRun: false, ...binding });
    expect(status).toBe(201);
    const changed = { metadata: body.metadata, spec: { clusterSet: 'other' } };
    const { causes = [] } = complaints(
      await api({ method: 'PUT', resource: managedClusterSetBinding, object: changed }),
    );
    expect(causes).toContainEqual({
      field: 'spec.clusterSet',
      message: expect.stringContaining('clusterSet cannot be changed; make another binding and delete this one'),
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
});

test("every rule of every kind has a row in this file's tables", () => {
  const elsewhere = [
    'spokeNamespace must be the name of a namespace: lower-case letters, digits and - between them; correct it',
    'condition is empty; name the condition that the CEL expressions set',
    'version can neither be added nor removed later; delete the object and create it anew',
    'no clusters are selected; set selector ({} selects all), clusterSelector, placementRefs or featureSelector',
    'moduleSpec is missing; say there what the spokes are to load',
    'maxUnavailable must be a number from 1 or a percentage from 1% to 100%; correct it',
    'values are missing; operators In and NotIn need at least one',
    'values must be empty with operators Exists and DoesNotExist; remove them, or use In or NotIn',
    'the name and spec.spokeNamespace have more than 41 characters together; shorten one of them',
    'kernelVersion needs at least three parts, as in 5.14.0-427.el9.x86_64; write all of uname -r',
    'metadata.name must be spec.clusterSet; rename the binding',
    'clusterSet cannot be changed; make another binding and delete this one',
  ];
  const tried = new Set([...moduleRules.map(({ message }) => message), ...elsewhere]);
  const all = new Set(
    Object.values(crds).flatMap((list) => list.flatMap((crd) => messagesOf(kindSchema(crd.definition)))),
  );
  expect([...all].filter((message) => !tried.has(message))).toEqual([]);
});

function messagesOf(schema: JsonSchema): string[] {
  const own = (schema['x-kubernetes-validations'] as { message: string }[] | undefined) ?? [];
  const parts = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  return [
    ...own.map(({ message }) => message),
    ...parts.flatMap((part) => (part === undefined ? [] : messagesOf(part))),
  ];
}

describe('an object of upstream with every field that it can have', () => {
  test.each(wholeObjects)('$object.apiVersion $object.kind keeps all of them', async ({ resource, object }) => {
    const { metadata: _metadata, ...written } = object;
    const created = await api({ method: 'POST', resource, object, dryRun: false });
    const { metadata } = created.body;
    expect(complaints(created)).toEqual({ status: 201 });
    const update = { method: 'PUT', resource, object: { ...object, metadata }, dryRun: false } as const;
    const { body } = 'status' in object ? await api({ ...update, subresource: 'status' }) : created;
    expect({ ...body, metadata: undefined }).toEqual({ ...written, metadata: undefined });
  });

  test.each(wholeObjects)('$object.apiVersion $object.kind leaves no field of its schema out', ({ resource }) => {
    const given = ['apiVersion', 'kind', 'metadata'];
    expect(fieldsLeftOut(resource).filter((path) => !given.includes(path))).toEqual([]);
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

describe("upstream's roles", () => {
  /** Gives the role to a user of its name, and waits until the API server knows: whoever writes may also read. */
  const bind = async (role: string, resource: Resource) => {
    await plane.kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, `--user=${role}`]);
    const metadata = { name: '', ...(resource.namespaced && { namespace: 'default' }) };
    const list = { method: 'GET', resource, object: { metadata }, as: role } as const;
    const mayRead = async () => ((await api(list)).status === 200 ? true : undefined);
    await waitFor({ what: `the role ${role}`, check: mayRead, timeoutMs: 120_000, signal });
  };
  const spec = { spokeNamespace: 'drivers', selector: {}, moduleSpec: loading({}) };

  test.each([
    ['an editor of ManagedClusterModules writes them (W16)', 'managedclustermodule-editor-role', 201],
    ['a viewer of ManagedClusterModules does not write them', 'managedclustermodule-viewer-role', 403],
  ])('%s', async (_behaviour, role, status) => {
    await bind(role, managedClusterModule);
    const object = { metadata: { name: 'kmod' }, spec };
    expect((await api({ method: 'POST', resource: managedClusterModule, object, as: role })).status).toBe(status);
  });

  test.each([
    ['an editor of Modules writes them', 'module-editor-role', 201],
    ['a viewer of Modules does not write them', 'module-viewer-role', 403],
  ])('%s', async (_behaviour, role, status) => {
    await bind(role, module);
    const object = { metadata: { name: 'kmod', namespace: 'default' }, ...{ spec: loading({}) } };
    expect((await api({ method: 'POST', resource: module, object, as: role })).status).toBe(status);
  });
});
