import { Type } from 'typebox';
import { Text, Texts } from './schema.ts';

// What several kinds of addon.open-cluster-management.io have in common.

export const ADD_ON_GROUP = 'addon.open-cluster-management.io';
/** Where an agent is installed when nobody says where. */
export const ADD_ON_NAMESPACE = 'open-cluster-management-agent-addon';

const Required = (description: string) => Type.String({ minLength: 1, maxLength: 253, description });

/** Which kind of object a configuration is. The group has a default, as it is part of a list's key. */
export const configResource = {
  group: Type.Optional(Type.String({ default: '', maxLength: 253, description: 'API group of the configuration.' })),
  resource: Required('Plural of the configuration, e.g. addondeploymentconfigs.'),
};

/** Which object it is. */
export const configName = {
  namespace: Type.Optional(Text('Namespace of the configuration; absent for cluster scope.')),
  name: Required('Name of the configuration.'),
};

/** A configuration and what its spec was. */
export const HashedConfig = (description: string) =>
  Type.Optional(
    Type.Object({ ...configName, specHash: Type.Optional(Text('Hash of its spec.', 128)) }, { description }),
  );

export const AddOnMeta = Type.Optional(
  Type.Object(
    {
      displayName: Type.Optional(Text('Name for a person.', 1024)),
      description: Type.Optional(Text('What it does, for a person.', 16_384)),
    },
    { description: 'What a console shows.' },
  ),
);

/** Deprecated by OCM, still written. */
export const AddOnConfiguration = Type.Optional(
  Type.Object(
    {
      crdName: Type.Optional(Text('CRD of the configuration.', 512)),
      crName: Type.Optional(Text('Its name on every cluster.')),
      lastObservedGeneration: Type.Optional(
        Type.Integer({ format: 'int64', description: 'Generation that was read.' }),
      ),
    },
    { description: 'Deprecated: see supportedConfigs.' },
  ),
);

/** A signer and the subject of the certificate that an agent asks it for. */
export const certificateRequest = {
  signerName: Type.String({
    minLength: 5,
    maxLength: 571,
    pattern: '^([a-z0-9][a-z0-9-]*[a-z0-9]\\.)+[a-z]+\\/[a-z0-9-\\.]+$',
    description: 'Signer, as domain/path.',
  }),
  subject: Type.Optional(
    Type.Object(
      {
        user: Type.Optional(Text('User name.', 1024)),
        groups: Type.Optional(Texts('Groups.', { maxLength: 1024 })),
        organizationUnit: Type.Optional(Texts('Organisational units.', { maxLength: 1024 })),
      },
      { description: 'Subject of the certificate; absent: made from the names of cluster and add-on.' },
    ),
  ),
};
