import { type Static, Type } from 'typebox';
import { defineCrd, type PrinterColumn } from './crd.ts';
import { mapBy, rules, StringEnum, Text } from './schema.ts';

/** KMM v2.6 CRStatus of v1beta2: how one Module fares. */
export const PreflightModuleStatus = Type.Object({
  name: Text('Name of the Module.'),
  namespace: Text('Namespace of the Module.'),
  verificationStatus: StringEnum(['Success', 'Failure', 'InProgress'], { description: 'Whether it is ready.' }),
  verificationStage: StringEnum(['Image', 'Done'], { description: 'How far the check is.' }),
  statusReason: Type.Optional(Text('Why, for a person.', 4096)),
  lastTransitionTime: Type.String({ format: 'date-time', description: 'When the status last changed.' }),
});
export type PreflightModuleStatus = Static<typeof PreflightModuleStatus>;

const kernelVersion = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'The kernel that the cluster is to be upgraded to, as uname -r will say.',
  ...rules({
    rule: "self.matches('^[^.,-]+[.,-][^.,-]+[.,-].+$')",
    message: 'kernelVersion needs at least three parts, as in 5.14.0-427.el9.x86_64; write all of uname -r',
  }),
});

const pushBuiltImage = Type.Optional(
  Type.Boolean({ default: false, description: 'Images that are built for the check are pushed.' }),
);

const status = Type.Optional(
  Type.Object(
    {
      modules: Type.Optional(
        Type.Array(PreflightModuleStatus, {
          maxItems: 10_000,
          ...mapBy('namespace', 'name'),
          description: 'Each Module of the cluster.',
        }),
      ),
    },
    { description: 'How far the check is.' },
  ),
);

const columns: PrinterColumn[] = [
  { name: 'Kernel', type: 'string', jsonPath: '.spec.kernelVersion' },
  { name: 'Results', type: 'string', jsonPath: '.status.modules[*].verificationStatus' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

const kind = { group: 'kmm.sigs.x-k8s.io', version: 'v1beta2', scope: 'Cluster' } as const;

/** v1beta2 only: without v1beta1 no conversion webhook is needed. */
export const preflightValidation = defineCrd({
  ...kind,
  columns,
  kind: 'PreflightValidation',
  plural: 'preflightvalidations',
  shortNames: ['pfv'],
  description: 'Asks whether every Module of this cluster has an image for a kernel that is yet to come.',
  properties: Type.Object({
    spec: Type.Optional(Type.Object({ kernelVersion, pushBuiltImage }, { description: 'What is checked.' })),
    status,
  }),
});
export type PreflightValidation = NonNullable<(typeof preflightValidation)['type']>;

/** Upstream's kind for OpenShift, whose controller makes a PreflightValidation of the same name. */
export const preflightValidationOcp = defineCrd({
  ...kind,
  columns,
  kind: 'PreflightValidationOCP',
  plural: 'preflightvalidationsocp',
  shortNames: ['pfvo'],
  description: 'PreflightValidation with the Driver Toolkit of an OpenShift release.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        { kernelVersion, dtkImage: Type.Optional(Text('Driver Toolkit image for the kernel.', 512)), pushBuiltImage },
        { description: 'What is checked.' },
      ),
    ),
    status,
  }),
});
