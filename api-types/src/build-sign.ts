import { type Static, Type } from 'typebox';
import { LocalObjectReference, rules, StringMap, Text, Texts } from './schema.ts';

export const TlsOptions = Type.Object(
  {
    insecure: Type.Optional(Type.Boolean({ description: 'Plain HTTP instead of HTTPS.' })),
    insecureSkipTLSVerify: Type.Optional(Type.Boolean({ description: 'The server certificate is not checked.' })),
  },
  { description: 'How the registry is reached.' },
);

export const BuildArg = Type.Object({ name: Text('Name of the ARG.'), value: Text('Its value.', 65_536) });

/** How an image is built when its registry does not have it (KMM v2.6 `build`). */
export const Build = Type.Object(
  {
    dockerfileConfigMap: LocalObjectReference,
    buildArgs: Type.Optional(Type.Array(BuildArg, { maxItems: 128, description: 'Build arguments, by name.' })),
    secrets: Type.Optional(
      Type.Array(LocalObjectReference, {
        maxItems: 64,
        description: 'Mounted at /run/secrets/<name> during the build.',
      }),
    ),
    baseImageRegistryTLS: Type.Optional(TlsOptions),
    kanikoParams: Type.Optional(
      Type.Object(
        { tag: Type.Optional(Text('Tag of the kaniko image.')) },
        { description: 'Accepted for upstream; kaniko is not used here.' },
      ),
    ),
    selector: Type.Optional(StringMap({ description: 'Accepted for upstream: nodes that ran the build pod.' })),
  },
  { description: 'Builds the image in the hub. The Dockerfile is key `dockerfile` of the ConfigMap.' },
);
export type Build = Static<typeof Build>;

const SIGNING = 'Signs the .ko files. Secret keys: `key` (PEM private key) and `cert` (PEM or DER certificate).';

/** How the kernel modules of an image are signed (KMM v2.6 `sign`). */
export const Sign = Type.Object(
  {
    keySecret: LocalObjectReference,
    certSecret: LocalObjectReference,
    unsignedImage: Type.Optional(Text('Image to sign; needed when there is no build.', 512)),
    unsignedImageRegistryTLS: Type.Optional(TlsOptions),
    filesToSign: Type.Optional(Texts('Absolute paths of the .ko files in the image; globs and templates allowed.')),
  },
  { description: SIGNING },
);
export type Sign = Static<typeof Sign>;

/** `sign` as a person writes it (KMM v2.6's webhook, first half of rule 9; the second, dirName, needs the container). */
export const CheckedSign = Type.Object(Sign.properties, {
  description: SIGNING,
  ...rules({
    rule: 'has(self.filesToSign) && size(self.filesToSign) > 0',
    message: 'filesToSign is empty; list the .ko files to sign, below modprobe.dirName, or remove sign',
  }),
});
