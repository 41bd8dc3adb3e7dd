import { Type } from 'typebox';
import { Build, Sign, TlsOptions } from './build-sign.ts';
import { defineCrd } from './crd.ts';
import { LocalObjectReference, StringEnum, Text } from './schema.ts';
import { Toleration } from './toleration.ts';

// Internal kinds of KMM v2.6: this product neither reads nor writes them. Their CRDs are for clusters on which upstream runs too.

const MAX_IMAGES = 4096;

/** KMM v2.6 ModuleImageSpec. */
const ImageToCheck = Type.Object({
  image: Text('The image; the first entry of an image wins.', 512),
  kernelVersion: Text('Kernel that the image is for.'),
  build: Type.Optional(Build),
  sign: Type.Optional(Sign),
  registryTLS: Type.Optional(TlsOptions),
  dirName: Type.Optional(
    Type.String({ default: '/opt', maxLength: 1024, description: 'Root of lib/modules/<kernel> in the image.' }),
  ),
  skipWaitMissingImage: Type.Optional(Type.Boolean({ description: 'Written, but without effect upstream.' })),
});

/** Fields that stand in both kinds. */
const shared = {
  imageRepoSecret: Type.Optional(LocalObjectReference),
  pushBuiltImage: Type.Optional(Type.Boolean({ description: 'A built image is pushed; false in some preflights.' })),
  tolerations: Type.Optional(
    Type.Array(Toleration, { maxItems: 64, description: 'Tolerations of the pods that pull, build and sign.' }),
  ),
};
const trigger = Type.Optional(Type.Integer({ description: 'Changes to have every image looked at anew.' }));

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;
const kmm = { group: 'kmm.sigs.x-k8s.io', version: 'v1beta1', scope: 'Namespaced' } as const;

export const moduleImagesConfig = defineCrd({
  ...kmm,
  kind: 'ModuleImagesConfig',
  plural: 'moduleimagesconfigs',
  shortNames: ['mic'],
  description: 'Images that one module needs and whether they exist. Internal to upstream KMM.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          images: Type.Optional(
            Type.Array(ImageToCheck, { maxItems: MAX_IMAGES, description: 'Images that must exist.' }),
          ),
          ...shared,
          imagePullPolicy: Type.Optional(
            Type.String({ default: 'IfNotPresent', maxLength: 32, description: 'Of the pods that pull.' }),
          ),
          imageRebuildTriggerGeneration: trigger,
        },
        { description: 'Copied from the Module or ManagedClusterModule.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          imagesStates: Type.Optional(
            Type.Array(
              Type.Object({
                image: Text('The image.', 512),
                status: Text('Exists, DoesNotExist, NeedsBuilding or NeedsSigning; empty: not known yet.', 64),
              }),
              { maxItems: MAX_IMAGES, description: 'What is known of each image.' },
            ),
          ),
          imageRebuildTriggerGeneration: trigger,
        },
        { description: 'Written by upstream KMM.' },
      ),
    ),
  }),
  columns: [{ name: 'States', type: 'string', jsonPath: '.status.imagesStates[*].status' }, age],
});

const Action = StringEnum(['BuildImage', 'SignImage'], { description: 'What is to be done; build comes before sign.' });

export const moduleBuildSignConfig = defineCrd({
  ...kmm,
  kind: 'ModuleBuildSignConfig',
  plural: 'modulebuildsignconfigs',
  shortNames: ['mbsc'],
  description: 'Images of one module that are to be built or signed. Internal to upstream KMM.',
  properties: Type.Object({
    spec: Type.Optional(
      Type.Object(
        {
          images: Type.Array(Type.Object({ ...ImageToCheck.properties, action: Action }), {
            maxItems: MAX_IMAGES,
            description: 'Images to build or sign.',
          }),
          ...shared,
        },
        { description: 'Copied from the ModuleImagesConfig of the same name.' },
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          images: Type.Optional(
            Type.Array(
              Type.Object({
                image: Text('The image.', 512),
                status: StringEnum(['Success', 'Failure'], { description: 'How it ended.' }),
                action: Action,
              }),
              { maxItems: MAX_IMAGES, description: 'What was done.' },
            ),
          ),
        },
        { description: 'Written by upstream KMM.' },
      ),
    ),
  }),
  columns: [{ name: 'Results', type: 'string', jsonPath: '.status.images[*].status' }, age],
});
