import { addOnTemplate } from '../src/add-on-template.ts';
import type { KubeObject, Resource } from '../src/kube-object.ts';
import { managedClusterModule } from '../src/managed-cluster-module.ts';
import { managedClusterSet, managedClusterSetBinding } from '../src/managed-cluster-set.ts';
import { manifestWork } from '../src/manifest-work.ts';
import { manifestWorkReplicaSet } from '../src/manifest-work-replica-set.ts';
import { module } from '../src/module.ts';
import { placement } from '../src/placement.ts';
import { preflightValidation, preflightValidationOcp } from '../src/preflight-validation.ts';
import { loading, moduleRules, type RuleRow } from './rule-table.ts';

/** A rule of one kind, with an object that keeps it and one that breaks it and no other but those `besides`. */
export type RuleTry = {
  resource: Resource;
  message: string;
  field: string;
  good: KubeObject;
  bad: KubeObject;
  /** What both are written over, for a rule that compares with it. */
  stored?: KubeObject;
  /** What the API server names first. */
  besides?: Pick<RuleTry, 'field' | 'message'>[];
};

const named = ({ namespaced }: Resource, name: string, spec: object): KubeObject & { spec: object } => ({
  metadata: { name, ...(namespaced && { namespace: 'default' }) },
  spec,
});
/** Rows whose `good` and `bad` are a spec. */
const tries = (resource: Resource, rows: RuleRow[]): RuleTry[] =>
  rows.map(({ message, field, good, bad }) => ({
    ...{ resource, message, field },
    good: named(resource, 'kmod', good),
    bad: named(resource, 'kmod', bad),
  }));

/** Spec of a ManagedClusterModule for all clusters, with these fields. */
export const carrying = (moduleSpec: object, fields: object = {}) => ({
  ...{ spokeNamespace: 'drivers', selector: {}, moduleSpec },
  ...fields,
});
const mcmWith = (fields: object) => carrying(loading({}), fields);
/** Where a module stands in each of the two kinds that carry one. */
export const carriers = [
  { kind: 'Module', resource: module, place: 'spec', specOf: (spec: object) => spec },
  {
    ...{ kind: 'ManagedClusterModule', resource: managedClusterModule, place: 'spec.moduleSpec' },
    specOf: (spec: object) => carrying(spec),
  },
];

const ofModules = carriers.flatMap(({ resource, place, specOf }) =>
  tries(
    resource,
    moduleRules.map(({ message, field, good, bad }) => ({
      ...{ message, field: field.replace(/^spec/, place) },
      ...{ good: specOf(good), bad: specOf(bad) },
    })),
  ),
);

const VERSION = 'version can neither be added nor removed later; delete the object and create it anew';
const ofVersions = carriers.flatMap(({ resource, place, specOf }): RuleTry[] =>
  [
    { change: 'added', before: {}, after: { version: '1' } },
    { change: 'removed', before: { version: '1' }, after: {} },
    { change: 'emptied', before: { version: '1' }, after: { version: '' } },
  ].map(({ change, before, after }) => {
    const object = (container: object) => named(resource, `version-${change}`, specOf(loading(container)));
    return {
      ...{ resource, message: VERSION, field: `${place}.moduleLoader.container`, stored: object(before) },
      ...{ good: object({ ...before, imagePullPolicy: 'Always' }), bad: object(after) },
    };
  }),
);

const ofManagedClusterModules: RuleTry[] = [
  ...tries(managedClusterModule, [
    {
      message:
        'no clusters are selected; set selector ({} selects all), clusterSelector, placementRefs or featureSelector',
      field: 'spec',
      good: mcmWith({ selector: undefined, placementRefs: [{ namespace: 'default', name: 'gpu' }] }),
      bad: mcmWith({ selector: undefined }),
    },
    {
      message: 'moduleSpec is missing; say there what the spokes are to load',
      field: 'spec',
      good: mcmWith({ moduleSpec: { selector: {} } }),
      bad: mcmWith({ moduleSpec: undefined }),
    },
    {
      message: 'maxUnavailable must be a number from 1 or a percentage from 1% to 100%; correct it',
      field: 'spec.nodeRollout.maxUnavailable',
      good: mcmWith({ nodeRollout: { maxUnavailable: '10%' } }),
      bad: mcmWith({ nodeRollout: { maxUnavailable: 0 } }),
    },
    {
      message:
        'spokeNamespace must be the name of a namespace: lower-case letters, digits and - between them; correct it',
      field: 'spec.spokeNamespace',
      good: mcmWith({ spokeNamespace: 'drivers-2' }),
      bad: mcmWith({ spokeNamespace: 'Drivers' }),
    },
  ]),
  {
    resource: managedClusterModule, // each spoke would refuse its Module (W8)
    message: 'the name and spec.spokeNamespace have more than 41 characters together; shorten one of them',
    field: 'spec.spokeNamespace',
    good: named(managedClusterModule, 'm'.repeat(41 - 'drivers'.length), mcmWith({})),
    bad: named(managedClusterModule, 'm'.repeat(42 - 'drivers'.length), mcmWith({})),
  },
];

/** `specOf` puts a LabelSelector where the kind has one, which is at `place`. */
const selecting = (resource: Resource, place: string, specOf: (selector: object) => object) => {
  const expression = (rest: object) => specOf({ matchExpressions: [{ key: 'region', ...rest }] });
  const field = `${place}.matchExpressions[0]`;
  return tries(resource, [
    {
      ...{ field, message: 'values are missing; operators In and NotIn need at least one' },
      good: expression({ operator: 'In', values: ['eu'] }),
      bad: expression({ operator: 'NotIn' }),
    },
    {
      field,
      message: 'values must be empty with operators Exists and DoesNotExist; remove them, or use In or NotIn',
      good: expression({ operator: 'Exists' }),
      bad: expression({ operator: 'DoesNotExist', values: ['eu'] }),
    },
  ]);
};
const ofSelectors = [
  ...selecting(managedClusterModule, 'spec.clusterSelector', (clusterSelector) => mcmWith({ clusterSelector })),
  ...selecting(managedClusterModule, 'spec.featureSelector', (featureSelector) => mcmWith({ featureSelector })),
  ...selecting(placement, 'spec.predicates[0].requiredClusterSelector.labelSelector', (labelSelector) => ({
    predicates: [{ requiredClusterSelector: { labelSelector } }],
  })),
  ...selecting(managedClusterSet, 'spec.clusterSelector.labelSelector', (labelSelector) => ({
    clusterSelector: { selectorType: 'LabelSelector', labelSelector },
  })),
];

/** `specOf` puts a manifestConfig where the kind has them, which is at `place`. */
const judging = (resource: Resource, place: string, specOf: (manifestConfigs: object[]) => object) => {
  const condition = (name: string) =>
    specOf([
      {
        resourceIdentifier: { resource: 'configmaps', name: 'a' },
        conditionRules: [{ condition: name, type: 'CEL', celExpressions: ['true'] }],
      },
    ]);
  return tries(resource, [
    {
      message: 'condition is empty; name the condition that the CEL expressions set',
      field: `${place}.manifestConfigs[0].conditionRules[0]`,
      ...{ good: condition('Complete'), bad: condition('') },
    },
  ]);
};
const workload = { manifests: [] };
const ofWorks = [
  ...judging(manifestWork, 'spec', (manifestConfigs) => ({ manifestConfigs })),
  ...judging(manifestWorkReplicaSet, 'spec.manifestWorkTemplate', (manifestConfigs) => ({
    ...{ manifestWorkTemplate: { manifestConfigs, workload }, placementRefs: [{ name: 'gpu' }] },
  })),
  ...judging(addOnTemplate, 'spec.agentSpec', (manifestConfigs) => ({
    ...{ addonName: 'kmm', agentSpec: { manifestConfigs, workload }, registration: [] },
  })),
];

const ofPreflights = [preflightValidation, preflightValidationOcp].flatMap((resource) =>
  tries(resource, [
    {
      message: 'kernelVersion needs at least three parts, as in 5.14.0-427.el9.x86_64; write all of uname -r',
      field: 'spec.kernelVersion',
      ...{ good: { kernelVersion: '5.14-427' }, bad: { kernelVersion: '5.14' } },
    },
  ]),
);

const binding = (name: string, clusterSet: string) => named(managedClusterSetBinding, name, { clusterSet });
const ofBindings = ((): RuleTry[] => {
  const ofOtherSet = { message: 'metadata.name must be spec.clusterSet; rename the binding', field: 'spec.clusterSet' };
  const resource = managedClusterSetBinding;
  return [
    { resource, ...ofOtherSet, good: binding('fleet', 'fleet'), bad: binding('other', 'fleet') },
    {
      resource,
      message: 'clusterSet cannot be changed; make another binding and delete this one',
      field: 'spec.clusterSet',
      ...{ stored: binding('stored', 'stored'), good: binding('stored', 'stored'), bad: binding('stored', 'other') },
      besides: [ofOtherSet],
    },
  ];
})();

/** Every rule of every kind. */
export const ruleTries: RuleTry[] = [
  ...[...ofModules, ...ofVersions, ...ofManagedClusterModules, ...ofSelectors],
  ...[...ofWorks, ...ofPreflights, ...ofBindings],
];
