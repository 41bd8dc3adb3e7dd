import type { ModuleImageSpec } from '@kmm-hub/api-types';

/** A Secret in the hub's namespace, and the key that must be in it; undefined when any will do. */
export type SecretReference = { name: string; key?: string };

/** The Secrets that a recipe names, by what they are for. */
export type RecipeSecrets = {
  build: SecretReference[];
  signing?: { key: SecretReference; certificate: SecretReference };
  registry?: SecretReference;
};

export function secretsOf({ build, sign, imageRepoSecret }: ModuleImageSpec): RecipeSecrets {
  return {
    build: (build?.secrets ?? []).map(({ name = '' }) => ({ name })),
    ...(sign && {
      signing: { key: { name: sign.keySecret, key: 'key' }, certificate: { name: sign.certSecret, key: 'cert' } },
    }),
    ...(imageRepoSecret !== undefined && { registry: { name: imageRepoSecret, key: '.dockerconfigjson' } }),
  };
}

/** All of them, one after the other. */
export function allSecretsOf(spec: ModuleImageSpec): SecretReference[] {
  const { build, signing, registry } = secretsOf(spec);
  return [...build, ...(signing ? [signing.key, signing.certificate] : []), ...(registry ? [registry] : [])];
}
