import { type Static, Type } from 'typebox';
import { BuildArg, TlsOptions } from './build-sign.ts';
import { defineCrd } from './crd.ts';
import { Conditions, LocalObjectReference, StringEnum, Texts } from './schema.ts';

const Name = (description: string, maxLength = 253) => Type.String({ maxLength, description });

/** The whole recipe of one image, without secret data. */
export const ModuleImageSpec = Type.Object(
  {
    image: Type.String({ minLength: 1, maxLength: 512, description: 'Where the image is published, tag included.' }),
    kernelVersion: Type.String({ minLength: 1, maxLength: 128, description: 'uname -r, e.g. "6.1.0-53-cloud-amd64".' }),
    architecture: Type.String({ maxLength: 16, description: 'GOARCH name, e.g. "amd64".' }),
    recipeKey: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'sha256 over every input that is no secret.' }),
    dirName: Type.String({
      default: '/opt',
      maxLength: 1024,
      description: 'Root of lib/modules/<kernel> in the image.',
    }),
    build: Type.Optional(
      Type.Object(
        {
          dockerfileConfigMap: Name('ConfigMap with key `dockerfile`, in the namespace of the hub.'),
          dockerfileSha256: Type.String({
            pattern: '^[0-9a-f]{64}$',
            description: 'The text that the recipe key covers.',
          }),
          buildArgs: Type.Array(BuildArg, { maxItems: 512, description: 'Every build argument, DTK_AUTO included.' }),
          secrets: Type.Optional(
            Type.Array(LocalObjectReference, { maxItems: 128, description: 'Mounted during the build.' }),
          ),
          baseImageRegistryTLS: Type.Optional(TlsOptions),
        },
        { description: 'Absent: the image is not built here.' },
      ),
    ),
    sign: Type.Optional(
      Type.Object(
        {
          keySecret: Name('Secret with key `key`, in the namespace of the hub.'),
          certSecret: Name('Secret with key `cert`, in the namespace of the hub.'),
          unsignedImage: Type.Optional(Name('What is signed when there is no build.', 512)),
          unsignedImageRegistryTLS: Type.Optional(TlsOptions),
          // Templates are filled in, and the container's list stands before the mapping's: more, and longer, than a Module's.
          filesToSign: Texts('Absolute .ko paths.', { maxItems: 512, maxLength: 8192 }),
        },
        { description: 'Absent: the image is published unsigned.' },
      ),
    ),
    imageRepoSecret: Type.Optional(Name('Secret with .dockerconfigjson, for pull and push.')),
    registryTLS: Type.Optional(TlsOptions),
    rebuildPolicy: StringEnum(['IfMissing', 'OnInputChange'], { default: 'IfMissing', description: 'See the module.' }),
    rebuildGeneration: Type.Optional(Type.Integer({ description: 'Changes to have the image looked at anew.' })),
  },
  { description: 'The whole recipe, without secret data. Written by the hub.' },
);
export type ModuleImageSpec = Static<typeof ModuleImageSpec>;

export const MODULE_IMAGE_PHASES = ['Pending', 'Building', 'Signing', 'Published', 'Failed', 'Missing'] as const;

export const ModuleImageStatus = Type.Object(
  {
    phase: StringEnum(MODULE_IMAGE_PHASES, {
      description: 'Published and Missing are settled; Failed is tried again.',
    }),
    digest: Type.Optional(Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'The published manifest.' })),
    recipeKey: Type.Optional(Name('The recipe that the phase is of.', 64)),
    contentKey: Type.Optional(Name('What went in, secrets by version; reported by the worker.', 64)),
    signedFiles: Type.Optional(
      Type.Array(Type.Object({ path: Name('Path in the image.', 1024), sha256: Name('Of the signed file.', 64) }), {
        maxItems: 4096, // a glob stands for many files
        description: 'What was signed.',
      }),
    ),
    reused: Type.Optional(Type.Boolean({ description: 'The image was in the registry and was taken as it is.' })),
    failures: Type.Optional(Type.Integer({ minimum: 0, description: 'Failed attempts in a row.' })),
    nextAttempt: Type.Optional(
      Type.String({ format: 'date-time', description: 'When a failed image is tried again.' }),
    ),
    builds: Type.Optional(Type.Integer({ minimum: 0, description: 'Builds that were run for this image.' })),
    observedGeneration: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The generation that this status is of.' }),
    ),
    conditions: Type.Optional(Conditions),
  },
  { description: 'How far the image is. Written by the hub from job results.' },
);
export type ModuleImageStatus = Static<typeof ModuleImageStatus>;

export const moduleImage = defineCrd({
  group: 'hub.kmm.sigs.x-k8s.io',
  version: 'v1alpha1',
  kind: 'ModuleImage',
  plural: 'moduleimages',
  shortNames: ['mimg'],
  scope: 'Cluster',
  description: 'One image that the fleet needs, whatever number of clusters want it. Internal: written by the hub.',
  properties: Type.Object({ spec: Type.Optional(ModuleImageSpec), status: Type.Optional(ModuleImageStatus) }),
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.spec.image' },
    { name: 'Kernel', type: 'string', jsonPath: '.spec.kernelVersion' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Digest', type: 'string', jsonPath: '.status.digest', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
export type ModuleImage = Omit<NonNullable<(typeof moduleImage)['type']>, 'spec'> & { spec: ModuleImageSpec };
