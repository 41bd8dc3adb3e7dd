import { createHash } from 'node:crypto';
import type { JobInputs } from './job-inputs.ts';

/**
 * What really went into an image: the recipe, the base images by digest, the Secrets by version and the signing
 * certificate by fingerprint. Annotated on the image; two images of one content key are alike, and no secret can be
 * read from it.
 */
export function contentKeyOf(inputs: JobInputs, baseImages: Readonly<Record<string, string>>): string {
  const { image, buildSecrets, signing } = inputs;
  const secrets = Object.entries(buildSecrets).map(([name, { version }]) => `${name}=${version}`);
  const bases = Object.entries(baseImages).map(([name, digest]) => `${name}=${digest}`);
  const certificate = signing?.certificate.data.cert;
  return sha256(
    JSON.stringify({
      recipe: image.spec.recipeKey,
      bases: bases.sort(),
      secrets: secrets.sort(),
      key: signing?.key.version ?? '',
      certificate: certificate === undefined ? '' : sha256(certificate),
    }),
  );
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
