import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import type { KubeObject } from './kube-object.ts';
import { Conditions, EmbeddedObject, mapBy, StringEnum } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });
const Optional = (description: string, maxLength = 253) => Type.Optional(Name(description, maxLength));

export const ResourceIdentifier = Type.Object(
  { group: Optional('API group.'), resource: Name('Plural.'), name: Name('Name.'), namespace: Optional('Namespace.') },
  { description: 'Which manifest is meant.' },
);
export type ResourceIdentifier = Static<typeof ResourceIdentifier>;

const JsonPath = Type.Object({
  name: Name('Name of the value.'),
  version: Optional('Version of the object that the path is for.'),
  path: Name('JSONPath from the root of the object.', 1024),
});

const IgnoreFields = Type.Object({
  condition: StringEnum(['OnSpokePresent', 'OnSpokeChange'], { default: 'OnSpokePresent', description: 'When.' }),
  jsonPaths: Type.Optional(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 64 })),
  jsonPointers: Type.Optional(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 64 })),
  jqPathExpressions: Type.Optional(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 64 })),
});

export const UpdateStrategy = Type.Object(
  {
    type: StringEnum(['Update', 'CreateOnly', 'ServerSideApply', 'ReadOnly'], {
      default: 'Update',
      description: 'How.',
    }),
    serverSideApply: Type.Optional(
      Type.Object({
        force: Type.Optional(Type.Boolean({ description: 'Takes fields from other managers.' })),
        fieldManager: Type.Optional(
          Type.String({ default: 'work-agent', pattern: '^work-agent', maxLength: 128, description: 'Manager name.' }),
        ),
        ignoreFields: Type.Optional(Type.Array(IgnoreFields, { maxItems: 2, ...mapBy('condition') })),
      }),
    ),
  },
  { description: 'How the manifest is applied.' },
);
export type UpdateStrategy = Static<typeof UpdateStrategy>;

const ConditionRule = Type.Object({
  condition: Name('Condition type that is set.', 316),
  type: StringEnum(['WellKnownConditions', 'CEL'], { description: 'How it is judged.' }),
  celExpressions: Type.Optional(Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 32 })),
  message: Optional('Message of the condition.', 32768),
  messageExpression: Optional('CEL expression of the message.', 4096),
});

export const ManifestConfig = Type.Object({
  resourceIdentifier: ResourceIdentifier,
  feedbackRules: Type.Optional(
    Type.Array(
      Type.Object({
        type: StringEnum(['WellKnownStatus', 'JSONPaths'], { description: 'Which values are fed back.' }),
        jsonPaths: Type.Optional(Type.Array(JsonPath, { maxItems: 64, ...mapBy('name') })),
      }),
      { maxItems: 16, description: 'Values of the applied object that come back to the hub.' },
    ),
  ),
  feedbackScrapeType: Type.Optional(
    StringEnum(['Poll', 'Watch'], { default: 'Poll', description: 'How they are read.' }),
  ),
  updateStrategy: Type.Optional(UpdateStrategy),
  conditionRules: Type.Optional(Type.Array(ConditionRule, { maxItems: 16, ...mapBy('condition') })),
});
export type ManifestConfig = Static<typeof ManifestConfig>;

export const ManifestWorkSpec = Type.Object({
  workload: Type.Optional(
    Type.Object({
      manifests: Type.Optional(
        Type.Array(EmbeddedObject<KubeObject & Record<string, unknown>>(), { description: 'What is applied.' }),
      ),
    }),
  ),
  deleteOption: Type.Optional(
    Type.Object({
      propagationPolicy: Type.Optional(
        StringEnum(['Foreground', 'Orphan', 'SelectivelyOrphan'], { default: 'Foreground', description: 'What goes.' }),
      ),
      selectivelyOrphans: Type.Optional(
        Type.Object({ orphaningRules: Type.Optional(Type.Array(ResourceIdentifier, { maxItems: 256 })) }),
      ),
      ttlSecondsAfterFinished: Type.Optional(Type.Integer({ description: 'Used by the hub only.' })),
    }),
  ),
  manifestConfigs: Type.Optional(Type.Array(ManifestConfig, { maxItems: 256, description: 'How each is applied.' })),
  executor: Type.Optional(
    Type.Object({
      subject: Type.Optional(
        Type.Object({
          type: StringEnum(['ServiceAccount'], { description: 'Kind of the executor.' }),
          serviceAccount: Type.Optional(Type.Object({ namespace: Name('Namespace.'), name: Name('Name.') })),
        }),
      ),
    }),
  ),
});
export type ManifestWorkSpec = Static<typeof ManifestWorkSpec>;

export const FeedbackValue = Type.Object({
  name: Name('Name of the value.'),
  fieldValue: Type.Object({
    type: StringEnum(['Integer', 'String', 'Boolean', 'JsonRaw'], { description: 'Which field holds it.' }),
    integer: Type.Optional(Type.Integer({ format: 'int64' })),
    string: Type.Optional(Type.String()),
    boolean: Type.Optional(Type.Boolean()),
    jsonRaw: Type.Optional(Type.String({ maxLength: 1024 })),
  }),
});
export type FeedbackValue = Static<typeof FeedbackValue>;

export const ManifestStatus = Type.Object({
  resourceMeta: Type.Object({
    ordinal: Type.Integer({ minimum: 0, description: 'Index in spec.' }),
    group: Optional('API group.'),
    version: Optional('API version.'),
    kind: Optional('Kind.'),
    resource: Optional('Plural.'),
    name: Optional('Name.'),
    namespace: Optional('Namespace.'),
  }),
  statusFeedback: Type.Optional(
    Type.Object({ values: Type.Optional(Type.Array(FeedbackValue, { maxItems: 256, ...mapBy('name') })) }),
  ),
  conditions: Type.Optional(Conditions),
});
export type ManifestStatus = Static<typeof ManifestStatus>;

/** work.open-cluster-management.io/v1; OCM owns this kind, its CRD is for hubs without OCM. */
export const manifestWork = defineCrd({
  group: 'work.open-cluster-management.io',
  version: 'v1',
  kind: 'ManifestWork',
  plural: 'manifestworks',
  scope: 'Namespaced',
  description: 'Objects that a cluster is to have; its namespace is named after the cluster.',
  properties: Type.Object({
    spec: Type.Optional(ManifestWorkSpec),
    status: Type.Optional(
      Type.Object({
        conditions: Type.Optional(Conditions),
        resourceStatus: Type.Optional(
          Type.Object({ manifests: Type.Optional(Type.Array(ManifestStatus, { maxItems: 1024 })) }),
        ),
      }),
    ),
  }),
});
export type ManifestWork = Omit<NonNullable<(typeof manifestWork)['type']>, 'spec'> & { spec: ManifestWorkSpec };

export const AppliedResource = Type.Object({
  group: Optional('API group.'),
  resource: Name('Plural.'),
  name: Name('Name.'),
  namespace: Optional('Namespace.'),
  version: Name('API version.'),
  uid: Optional('uid of the object.', 64),
});
export type AppliedResource = Static<typeof AppliedResource>;

/** work.open-cluster-management.io/v1, on the spoke: owns what one work applied. */
export const appliedManifestWork = defineCrd({
  group: 'work.open-cluster-management.io',
  version: 'v1',
  kind: 'AppliedManifestWork',
  plural: 'appliedmanifestworks',
  scope: 'Cluster',
  description: 'What one ManifestWork applied here.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object({
        hubHash: Name('sha256 of the URL of the hub.', 64),
        manifestWorkName: Name('Name of the work.'),
        agentID: Type.Optional(Name('Agent that applied it.', 128)),
      }),
    ),
    status: Type.Optional(
      Type.Object({
        appliedResources: Type.Optional(Type.Array(AppliedResource, { maxItems: 4096 })),
        evictionStartTime: Type.Optional(
          Type.String({ format: 'date-time', description: 'When the work went missing.' }),
        ),
      }),
    ),
  }),
});
export type AppliedManifestWork = NonNullable<(typeof appliedManifestWork)['type']>;
