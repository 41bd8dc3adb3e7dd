import type { ManifestConfig, Resource } from '@kmm-hub/api-types';
import type { ConformanceCase } from '../case.ts';
import {
  appliedGeneration,
  configMapManifest as cm,
  conditionIn,
  configMapConfig,
  MANIFEST_FAILED,
  type Manifest,
  manifestsOf,
  manifestTold,
  workTold,
} from '../objects.ts';
import type { Stage } from '../stage.ts';
import { becomesGood } from './common.ts';

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true };
const roles: Resource<Manifest> = { ...RBAC, kind: 'Role', plural: 'roles' };
const bindings: Resource<Manifest> = { ...RBAC, kind: 'RoleBinding', plural: 'rolebindings' };

function bindingManifest(namespace: string, name: string, roleRef: { kind: string; name: string }): Manifest {
  return {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name, namespace } },
    roleRef: { apiGroup: RBAC.group, ...roleRef },
    subjects: [{ kind: 'ServiceAccount', name: 'executor', namespace }],
  };
}

/** A work whose executor may do nothing says so; then it is given what it needs. */
async function deniedThenAllowed(stage: Stage): Promise<void> {
  const { namespace } = stage;
  const executor = { subject: { type: 'ServiceAccount' as const, serviceAccount: { namespace, name: 'executor' } } };
  await stage.createWork('w', [cm(namespace, 'cm1')], { executor });
  await stage.becomes('the manifest of an executor without rights', {
    read: async () => {
      const work = await stage.work('w');
      const message = conditionIn(manifestsOf(work)[0]?.conditions, 'Applied')?.message ?? '';
      const words = /not allowed to apply the resource .*, will try again in 1m0s/.exec(message)?.[0];
      return { ...manifestTold(work, 0, 'Applied'), words };
    },
    expected: {
      ...MANIFEST_FAILED,
      words: `not allowed to apply the resource  configmaps, ${namespace} cm1, will try again in 1m0s`,
    },
  });
  stage.is('the object is there', (await stage.configMap('cm1')) !== undefined, false);
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update', 'patch', 'get', 'delete'] }];
  await stage.createOnSpoke(roles, { metadata: { name: 'executor', namespace }, rules });
  await stage.createOnSpoke(bindings, bindingManifest(namespace, 'executor', { kind: 'Role', name: 'executor' }));
}

function ruled(stage: Stage, condition: string, expression: string): { manifestConfigs: ManifestConfig[] } {
  const conditionRules = [{ condition, type: 'CEL' as const, celExpressions: [expression] }];
  return { manifestConfigs: [configMapConfig(stage.namespace, 'cm1', { conditionRules })] };
}

/** Executor and condition rules. */
export const rules: ConformanceCase[] = [
  {
    number: '31',
    title: 'an executor that may not apply an object is denied, and applies once it may and the work is touched',
    async run(stage) {
      await deniedThenAllowed(stage);
      await stage.touch('w');
      await becomesGood(stage, 'w');
    },
  },
  {
    number: '31-slow',
    title: 'an executor that was denied is asked about again after a minute by itself',
    slow: true,
    async run(stage) {
      await deniedThenAllowed(stage);
      await becomesGood(stage, 'w', 60_000 + 2 * stage.limits.promptMs);
    },
  },
  {
    number: '32',
    title: 'a condition rule in CEL is judged for the manifest, and summed up for the work',
    async run(stage) {
      const moving = ruled(stage, 'Progressing', 'object.data.phase == "moving"');
      await stage.createWork('w', [cm(stage.namespace, 'cm1', { phase: 'moving' })], moving);
      const read = async () => {
        const work = await stage.work('w');
        return { manifest: manifestTold(work, 0, 'Progressing'), work: workTold(work, 'Progressing') };
      };
      const both = (status: string) => ({
        manifest: { Progressing: `${status} ConditionRuleEvaluated` },
        work: { Progressing: `${status} ConditionRulesAggregated` },
      });
      const { statusMs: limitMs } = stage.limits;
      await stage.becomes('Progressing', { read, expected: both('True'), limitMs });
      await stage.editConfigMap('cm1', { data: { phase: 'done' } });
      await stage.becomes('Progressing after a change on the spoke', { read, expected: both('False'), limitMs });
      const { generation } = await stage.changeWork('w', { manifestConfigs: [] }).then(({ metadata }) => metadata);
      await stage.becomes('Progressing without the rule', {
        read: async () => ({ ...(await read()), generation: appliedGeneration(await stage.work('w')) }),
        expected: { manifest: {}, work: {}, generation },
        limitMs,
      });
    },
  },
  {
    number: '33',
    title: 'a work that is Complete is not applied any more',
    async run(stage) {
      const done = ruled(stage, 'Complete', 'has(object.data.done)');
      await stage.createWork('w', [cm(stage.namespace, 'cm1', { a: '1' })], done);
      await becomesGood(stage, 'w');
      await stage.editConfigMap('cm1', { data: { done: 'yes' } });
      await stage.becomes('Complete', {
        read: async () => workTold(await stage.work('w'), 'Complete'),
        expected: { Complete: 'True ConditionRulesAggregated' },
        limitMs: stage.limits.statusMs,
      });
      await stage.setManifests('w', [cm(stage.namespace, 'cm1', { a: '2' })]);
      const read = async () => (await stage.configMap('cm1'))?.data;
      await stage.stays('data after a change of the spec', { read, expected: { a: '1', done: 'yes' } });
    },
  },
  {
    number: '34',
    title: 'a RoleBinding whose roleRef changes fails, and stays available',
    async run(stage) {
      const { namespace, limits } = stage;
      const manifest = (name: string) => bindingManifest(namespace, 'b', { kind: 'ClusterRole', name });
      await stage.createWork('w', [manifest('view')]);
      await becomesGood(stage, 'w');
      await stage.setManifests('w', [manifest('edit')]);
      await stage.becomes('the manifest after a change of its roleRef', {
        read: async () => manifestTold(await stage.work('w'), 0, 'Applied', 'Available'),
        expected: { ...MANIFEST_FAILED, Available: 'True ResourceAvailable' },
        limitMs: limits.statusMs,
      });
      await stage.setManifests('w', [manifest('view')]);
      await becomesGood(stage, 'w');
    },
  },
];
