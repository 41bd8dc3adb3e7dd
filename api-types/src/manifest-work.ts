import { type Static, Type } from 'typebox';
import { defineCrd } from './crd.ts';
import type { KubeObject } from './kube-object.ts';
import { DNS_SUBDOMAIN } from './patterns.ts';
import { Conditions, EmbeddedObject, mapBy, rules, StringEnum, Texts } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });
const Optional = (description: string, maxLength = 253) => Type.Optional(Name(description, maxLength));
const AccountName = (description: string) =>
  Type.String({ minLength: 1, maxLength: 253, pattern: `^${DNS_SUBDOMAIN}$`, description });

/** More than fit into the 512,000 bytes that OCM's webhook allows a work. */
export const MOST_MANIFESTS = 8192;

export const ResourceIdentifier = Type.Object(
  { group: Optional('API group.'), resource: Name('Plural.'), name: Name('Name.'), namespace: Optional('Namespace.') },
  { description: 'Which manifest is meant.' },
);
export type ResourceIdentifier = Static<typeof ResourceIdentifier>;

const JsonPath = Type.Object({
  name: Name('Name of the value.'),
  version: Optional('Version of the object that the path is for.'),
  path: Name('JSONPath from the root of the object.', 4096),
});

const PATHS = { maxItems: 1024 };

const IgnoreFields = Type.Object({
  condition: StringEnum(['OnSpokePresent', 'OnSpokeChange'], { default: 'OnSpokePresent', description: 'When.' }),
  jsonPaths: Type.Optional(Texts('Fields by JSONPath.', PATHS)),
  jsonPointers: Type.Optional(Texts('Fields by JSON pointer.', PATHS)),
  jqPathExpressions: Type.Optional(Texts('Fields by jq path.', PATHS)),
});

export const UpdateStrategy = Type.Object(
  {
    type: StringEnum(['Update', 'CreateOnly', 'ServerSideApply', 'ReadOnly'], {
      default: 'Update',
      description: 'How.',
    }),
    serverSideApply: Type.Optional(
      Type.Object(
        {
          force: Type.Optional(Type.Boolean({ description: 'Takes fields from other managers.' })),
          fieldManager: Type.Optional(
            Type.String({
              default: 'work-agent',
              pattern: '^work-agent',
              maxLength: 128,
              description: 'Manager name.',
            }),
          ),
          ignoreFields: Type.Optional(
            Type.Array(IgnoreFields, {
              maxItems: 2,
              ...mapBy('condition'),
              description: 'Fields that are left alone.',
            }),
          ),
        },
        { description: 'For type ServerSideApply.' },
      ),
    ),
  },
  { description: 'How the manifest is applied.' },
);
export type UpdateStrategy = Static<typeof UpdateStrategy>;

const ConditionRule = Type.Object(
  {
    condition: Name('Condition type that is set.', 316),
    type: StringEnum(['WellKnownConditions', 'CEL'], { description: 'How it is judged.' }),
    celExpressions: Type.Optional(Texts('For type CEL; all must hold.', { maxLength: 16_384 })),
    message: Optional('Message of the condition.', 32768),
    messageExpression: Optional('CEL expression of the message.', 16_384),
  },
  rules({
    rule: "self.type != 'CEL' || self.condition != ''",
    message: 'condition is empty; name the condition that the CEL expressions set',
  }),
);

export const ManifestConfig = Type.Object({
  resourceIdentifier: ResourceIdentifier,
  feedbackRules: Type.Optional(
    Type.Array(
      Type.Object({
        type: StringEnum(['WellKnownStatus', 'JSONPaths'], { description: 'Which values are fed back.' }),
        jsonPaths: Type.Optional(
          Type.Array(JsonPath, { maxItems: 1024, ...mapBy('name'), description: 'For type JSONPaths.' }),
        ),
      }),
      { maxItems: 64, description: 'Values of the applied object that come back to the hub.' },
    ),
  ),
  feedbackScrapeType: Type.Optional(
    StringEnum(['Poll', 'Watch'], { default: 'Poll', description: 'How they are read.' }),
  ),
  updateStrategy: Type.Optional(UpdateStrategy),
  conditionRules: Type.Optional(
    Type.Array(ConditionRule, {
      maxItems: 64,
      ...mapBy('condition'),
      description: 'Conditions of the applied object.',
    }),
  ),
});
export type ManifestConfig = Static<typeof ManifestConfig>;

export const ManifestWorkSpec = Type.Object(
  {
    workload: Type.Optional(
      Type.Object(
        {
          manifests: Type.Optional(
            Type.Array(EmbeddedObject<KubeObject & Record<string, unknown>>(), { description: 'What is applied.' }),
          ),
        },
        { description: 'The objects.' },
      ),
    ),
    deleteOption: Type.Optional(
      Type.Object(
        {
          propagationPolicy: Type.Optional(
            StringEnum(['Foreground', 'Orphan', 'SelectivelyOrphan'], {
              default: 'Foreground',
              description: 'What goes.',
            }),
          ),
          selectivelyOrphans: Type.Optional(
            Type.Object(
              {
                orphaningRules: Type.Optional(
                  Type.Array(ResourceIdentifier, { maxItems: MOST_MANIFESTS, description: 'Exactly these objects.' }),
                ),
              },
              { description: 'For SelectivelyOrphan: what stays.' },
            ),
          ),
          ttlSecondsAfterFinished: Type.Optional(Type.Integer({ description: 'Used by the hub only.' })),
        },
        { description: 'What goes with the work.' },
      ),
    ),
    manifestConfigs: Type.Optional(
      Type.Array(ManifestConfig, { maxItems: MOST_MANIFESTS, description: 'How each is applied.' }),
    ),
    executor: Type.Optional(
      Type.Object(
        {
          subject: Type.Optional(
            Type.Object(
              {
                type: StringEnum(['ServiceAccount'], { description: 'Kind of the executor.' }),
                serviceAccount: Type.Optional(
                  Type.Object(
                    { namespace: AccountName('Namespace.'), name: AccountName('Name.') },
                    { description: 'On the spoke.' },
                  ),
                ),
              },
              { description: 'Who that is.' },
            ),
          ),
        },
        { description: 'In whose name the objects are applied; absent: the agent itself.' },
      ),
    ),
  },
  { description: 'Written by the hub.' },
);
export type ManifestWorkSpec = Static<typeof ManifestWorkSpec>;

export const FeedbackValue = Type.Object({
  name: Name('Name of the value.'),
  fieldValue: Type.Object(
    {
      type: StringEnum(['Integer', 'String', 'Boolean', 'JsonRaw'], { description: 'Which field holds it.' }),
      integer: Type.Optional(Type.Integer({ format: 'int64', description: 'For type Integer.' })),
      string: Type.Optional(Type.String({ description: 'For type String.' })),
      boolean: Type.Optional(Type.Boolean({ description: 'For type Boolean.' })),
      jsonRaw: Type.Optional(Type.String({ maxLength: 1024, description: 'For type JsonRaw.' })),
    },
    { description: 'The value.' },
  ),
});
export type FeedbackValue = Static<typeof FeedbackValue>;

export const ManifestStatus = Type.Object({
  resourceMeta: Type.Object(
    {
      ordinal: Type.Integer({ minimum: 0, description: 'Index in spec.' }),
      group: Optional('API group.'),
      version: Optional('API version.'),
      kind: Optional('Kind.'),
      resource: Optional('Plural.'),
      name: Optional('Name.'),
      namespace: Optional('Namespace.'),
    },
    { description: 'Which manifest it is.' },
  ),
  statusFeedback: Type.Optional(
    Type.Object(
      {
        values: Type.Optional(Type.Array(FeedbackValue, { maxItems: 1024, ...mapBy('name'), description: 'By name.' })),
      },
      { description: 'Values of the applied object.' },
    ),
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
  // OCM's CRD has neither columns nor a short name; columns alone cost a caller nothing.
  columns: [
    { name: 'Applied', type: 'string', jsonPath: '.status.conditions[?(@.type=="Applied")].status' },
    { name: 'Available', type: 'string', jsonPath: '.status.conditions[?(@.type=="Available")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  properties: Type.Object({
    spec: Type.Optional(ManifestWorkSpec),
    status: Type.Optional(
      Type.Object(
        {
          conditions: Type.Optional(Conditions),
          resourceStatus: Type.Optional(
            Type.Object(
              {
                manifests: Type.Optional(
                  Type.Array(ManifestStatus, { maxItems: MOST_MANIFESTS, description: 'One entry a manifest.' }),
                ),
              },
              { description: 'How each manifest fares.' },
            ),
          ),
        },
        { description: 'Written by the work agent.' },
      ),
    ),
  }),
});
export type ManifestWork = Omit<NonNullable<(typeof manifestWork)['type']>, 'spec'> & { spec: ManifestWorkSpec };
